"""Attention maps are probabilities over the keys: positive, adding up to one, not ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.checks.live import accepts, attention_implementation, call, refused
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.records import Family, Finding

FIELDS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")


class AttentionMaps(Question):
    """Asks the eager implementation for its maps."""

    name = "attention_maps"
    question = "Are attention maps positive weights that add up to one and, in decoders, never look ahead?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that can be asked for maps."""
        if not hasattr(trial.module, "set_attn_implementation") or not attends(trial):
            return "the class returns no attention maps"
        return None

    def run(self, trial: Trial) -> Finding:
        """The floor of the rule for the sums; exact zeros above the diagonal."""
        tolerance, figures = TOLERANCES[trial.dtype], Figures()
        slack = tolerance.floor * tolerance.step
        try:
            with attention_implementation(trial.module, "eager"):
                returned = call(trial, trial.inputs, output_attentions=True)
        except ValueError as refusal:
            if refused(refusal, "output_attentions"):
                return not_applicable(f"the class refuses: {refusal}")
            raise
        asked = 0
        for field in FIELDS:
            maps = list(_maps(getattr(returned, field, None)))
            figures[field] = len(maps)
            for layer, weights in enumerate(maps):
                if _is_linear(trial, layer):
                    continue
                asked += 1
                wrong = _wrong(weights, slack, backwards=_backwards(trial, field))
                if wrong:
                    return failed(f"{field} of layer {layer}: {wrong}", figures)
        return passed(figures) if asked else not_applicable("returns no maps of queries × keys")


def attends(trial: Trial) -> bool:
    """Whether forward can be asked for attention maps, by its signature or through its keyword arguments."""
    return accepts(trial, "output_attentions") or accepts(trial, "kwargs")


def _is_linear(trial: Trial, layer: int) -> bool:
    """Linear attention has no weights over the keys."""
    kinds = getattr(trial.module.config.get_text_config(decoder=True), "layer_types", None) or ()
    return layer < len(kinds) and "linear" in str(kinds[layer])


def _maps(found: Any) -> Iterator[torch.Tensor]:
    """Those of batch × heads × queries × keys."""
    for value in found or ():
        if isinstance(value, torch.Tensor) and value.dim() == 4:
            yield value


def _wrong(weights: torch.Tensor, slack: float, *, backwards: bool) -> str | None:
    if not torch.isfinite(weights).all():
        return "weights that are not finite"
    if float(weights.min()) < 0:
        return f"a negative weight, {float(weights.min()):.1e}"
    highest = float(weights.double().sum(-1).max())
    if highest > 1 + slack * weights.shape[-1]:
        return f"the weights of a query add up to {highest:.6g}"
    if backwards and weights.shape[-1] == weights.shape[-2] and bool(weights.triu(1).any()):
        return f"looks ahead with a weight of {float(weights.triu(1).max()):.1e}"
    return None


def _backwards(trial: Trial, field: str) -> bool:
    prefix = getattr(trial.module.config, "prefix_lm", False)  # the tokens of a prompt see each other
    text = trial.architecture.family is Family.DECODER_ONLY and field == "attentions" and not prefix
    return text or (field == "decoder_attentions" and "decoder_input_ids" in trial.inputs)
