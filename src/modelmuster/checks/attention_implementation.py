"""Attention is computed in several ways; which one is chosen is a matter of speed, not of results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import attention_implementation, outputs
from modelmuster.checks.padding import SIDES, masked
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.checks.texts import at, text_only
from modelmuster.contracts import Capability, Inputs, Outputs, Trial
from modelmuster.numerics.rule import Comparison
from modelmuster.records import Family, Finding

FLEX = "flex_attention"


class AttentionImplementation(Question):
    """Runs with eager attention, with fused, and with flexible where the class offers it and a CPU can run it."""

    name = "attention_implementation"
    question = "Do eager, fused (sdpa) and flexible (flex) attention give the same outputs, padded or not?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that offer more than one."""
        if not getattr(trial.module, "_supports_sdpa", False) or not hasattr(trial.module, "set_attn_implementation"):
            return "the model class offers no fused attention"
        if not trial.module._can_set_attn_implementation():  # noqa: SLF001 - the only name that transformers gives it
            return "the class cannot change its attention once it is built"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance, since both runs round; attention maps themselves are only returned by eager."""
        figures = Figures()
        for kind, inputs in _asked(trial).items():
            with attention_implementation(trial.module, "eager"):
                eager = outputs(trial, inputs)
            for name, run in _OTHERS.items():
                try:
                    other = run(trial, inputs)
                except (ValueError, NotImplementedError) as refusal:
                    if name != FLEX:
                        raise
                    figures[f"{kind}.{name}"] = f"refused: {refusal}"
                    continue
                if other is None:
                    continue
                compared = _at_real_tokens(trial, inputs, eager, other)
                figures[f"{kind}.{name}.relative_rmse"] = size_of(compared)
                if not agrees(compared):
                    return failed(f"eager and {name} disagree on {kind} inputs: {off(compared)}", figures)
        return passed(figures)


def _fused(trial: Trial, inputs: Inputs) -> Outputs:
    with attention_implementation(trial.module, "sdpa"):
        return outputs(trial, inputs)


def _flexible(trial: Trial, inputs: Inputs) -> Outputs | None:
    """Its masks and scores are those of compiled code, but the compiler, which takes seconds, is left out."""
    parts = [part for part in trial.module.modules() if hasattr(part, "_supports_flex_attn")]
    if not all(part._supports_flex_attn for part in parts) or trial.target != "torch:cpu":  # noqa: SLF001
        return None
    with torch.compiler.set_stance("force_eager"), attention_implementation(trial.module, FLEX):
        return outputs(trial, inputs)


_OTHERS: dict[str, Callable[[Trial, Inputs], Outputs | None]] = {"sdpa": _fused, FLEX: _flexible}


def _asked(trial: Trial) -> dict[str, dict[str, Any]]:
    """The recipe's inputs; the same with the first row padded, on the left in decoders, on the right elsewhere."""
    asked = {"plain": dict(trial.inputs)}
    if masked(trial) is None and (trial.inputs["attention_mask"] == 1).all() and text_only(trial) is None:
        mask = np.ones_like(trial.inputs["attention_mask"])
        mask[0, SIDES["left" if trial.architecture.family is Family.DECODER_ONLY else "right"]] = 0
        asked["padded"] = {**trial.inputs, "attention_mask": mask}
    return asked


def _at_real_tokens(trial: Trial, inputs: dict[str, Any], eager: Outputs, other: Outputs) -> Comparison:
    """What is returned for padding is nobody's business: rows without any key are filled in different ways."""
    eager = {name: output for name, output in eager.items() if name in other}
    if masked(trial) is None and not inputs["attention_mask"].all():
        kept = inputs["attention_mask"].astype(bool)
        length = kept.shape[1]
        pairs = at(eager, kept, length), at(other, kept, length)
        if pairs[0]:
            return same(trial, *pairs)
    return same(trial, eager, other)
