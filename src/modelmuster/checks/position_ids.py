"""Positions that are handed in must be used, and rotary ones may only count by their differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding, Trait

SHIFT = 3
"""Added to all positions: rotary attention looks at differences only."""

GAP = 5
"""Added to the positions of the second half."""


class PositionIds(Question):
    """Hands in the positions that the model counts by itself, then a gap, then a shift of all."""

    name = "position_ids"
    question = "Are position ids respected: counted from 0 when left out, and relative where they are rotary?"
    families = frozenset({Family.ENCODER_ONLY, Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that take positions."""
        if not accepts(trial, "position_ids"):
            return "forward takes no position_ids"
        if not frequencies(trial.module) and not tables(trial.module):
            return "the model has neither rotary frequencies nor a table of positions"
        return text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance for equal answers, more than its floor for different ones."""
        figures, length = Figures(), trial.inputs["input_ids"].shape[1]
        counted = np.broadcast_to(np.arange(length), trial.inputs["input_ids"].shape).copy()
        plain = at(outputs(trial, trial.inputs), slice(None), length)
        if not plain:
            return not_applicable(NO_TOKENS)

        def ask(positions: np.ndarray) -> dict[str, Any]:
            return at(outputs(trial, {**trial.inputs, "position_ids": positions}), slice(None), length)

        gap = counted + GAP * (counted >= length // 2)
        change, most = influence(ask(counted), ask(gap), trial.dtype)
        figures["gap_influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(f"a gap in the position ids changes {most} by {change:.1e} only: they are not read", figures)
        if trial.architecture.family is Family.DECODER_ONLY:
            compared = same(trial, plain, ask(counted))
            figures["counted.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"with the position ids 0, 1, 2, … handed in, {off(compared)}", figures)
        # A recurrence may begin anew at position 0, and some frequencies depend on the highest position.
        if (
            frequencies(trial.module)
            and not tables(trial.module)
            and Trait.STATE_SPACE not in trial.architecture.traits
            and not _adapts(trial.module)
        ):
            compared = same(trial, ask(counted), ask(counted + SHIFT))
            figures["shift.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"with all positions moved by {SHIFT}, {off(compared)}, though they are rotary", figures)
        return passed(figures)


def _adapts(module: torch.nn.Module) -> bool:
    """Whether the rotary frequencies change with the length of what is read."""
    kinds = {str(getattr(part, "rope_type", "")) for part in module.modules()}
    return bool(kinds & {"dynamic", "longrope"})


def frequencies(module: torch.nn.Module) -> bool:
    """Whether some part turns its queries and keys by their positions."""
    return any(name.rpartition(".")[2].endswith("inv_freq") for name, _ in module.named_buffers())


def tables(module: torch.nn.Module) -> list[torch.nn.Module]:
    """Parts that keep an embedding for each position."""
    return [
        part
        for name, part in module.named_modules()
        if (
            "Embedding" in type(part).__name__
            and "position" in name.rpartition(".")[2]
            and (hasattr(part, "weight") or hasattr(part, "weights"))
        )
        or name.endswith("wpe")
    ]
