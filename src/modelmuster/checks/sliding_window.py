"""A sliding window limits what a token sees to its neighbours; the layers without one see everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.checks.attention_maps import attends
from modelmuster.checks.live import attention_implementation, call
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding, Trait

SLIDING = "sliding_attention"
FULL = "full_attention"


class SlidingWindow(Question):
    """Looks which keys have weight in the attention maps of each layer."""

    name = "sliding_window"
    question = "Do the layers with a sliding window see exactly their window, and the others everything?"
    traits = frozenset({Trait.SLIDING_WINDOW})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that name the kind of every layer, or have one window for all."""
        if not hasattr(trial.module, "set_attn_implementation") or not attends(trial):
            return "the class returns no attention maps"
        if trial.architecture.family not in {Family.DECODER_ONLY, Family.ENCODER_ONLY}:
            return "asked of models whose only attention maps are those of a text"
        kinds, window = _kinds(trial), _window(trial)
        if not isinstance(window, int) or SLIDING not in kinds:
            return "no layer of this configuration has a sliding window"
        return None

    def run(self, trial: Trial) -> Finding:
        """Exact: weights outside are zero, those at the edge are not."""
        with attention_implementation(trial.module, "eager"):
            returned = call(trial, trial.inputs, output_attentions=True)
        window, causal = int(_window(trial)), trial.architecture.family is Family.DECODER_ONLY
        figures, asked = Figures({"window": window}), 0
        maps, kinds = getattr(returned, "attentions", None) or (), _kinds(trial)
        if len(maps) != len(kinds):
            # Layers of another kind, such as convolutions, may return no map at all.
            kinds = [kind for kind in kinds if "attention" in kind and "linear" not in kind]
        if len(maps) != len(kinds):
            return not_applicable(f"{len(maps)} attention maps for {len(kinds)} layers with attention")
        for layer, kind, weights in _square(zip(kinds, maps, strict=True)):
            length = weights.shape[-1]
            if length <= window + 1:
                return not_applicable(f"fed {length} tokens, which a window of {window} holds")
            asked += 1
            # A causal window counts the token itself; a symmetric one is what lies on either side.
            reach = window - 1 if causal else window
            wrong = _wrong(weights, reach, kind)
            if wrong:
                return failed(f"layer {layer} ({kind}): {wrong}", figures)
        return passed(figures | {"layers": asked}) if asked else not_applicable("returns no square attention maps")


def _wrong(weights: torch.Tensor, reach: int, kind: str) -> str | None:
    places = torch.arange(weights.shape[-1], device=weights.device)
    distance = (places[:, None] - places[None, :]).abs()
    beyond = weights[..., distance > reach]
    edge = weights[..., (distance == reach).tril()]
    if kind == SLIDING and bool(beyond.any()):
        return f"sees tokens more than {reach} away, with a weight of up to {float(beyond.max()):.1e}"
    if kind == SLIDING and not bool(edge.any()):
        return f"does not see the tokens {reach} away"
    if kind == FULL and not bool(beyond.any()):
        return f"sees nothing more than {reach} away"
    return None


def _square(layers: Any) -> Iterator[tuple[int, str, torch.Tensor]]:
    for layer, (kind, weights) in enumerate(layers):
        if isinstance(weights, torch.Tensor) and weights.dim() == 4 and weights.shape[-1] == weights.shape[-2]:
            yield layer, kind, weights


def _kinds(trial: Trial) -> list[str]:
    config = trial.module.config.get_text_config(decoder=True)
    kinds = getattr(config, "layer_types", None)
    return list(kinds) if kinds else [SLIDING] * int(getattr(config, "num_hidden_layers", 0) or 0)


def _window(trial: Trial) -> Any:
    return getattr(trial.module.config.get_text_config(decoder=True), "sliding_window", None)
