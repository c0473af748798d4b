"""What is fed beside the data, such as masks of images, times and labels of points, is there to be read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from modelmuster.checks import audio_length, masks_by_row
from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.feeding import carriers
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding

ASKED_ELSEWHERE = {*audio_length.MASKS, *masks_by_row.MASKS, "token_type_ids", "mm_token_type_ids", "position_ids"}
"""Each has a check of its own, with reasons of its own why it may have no influence."""

REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, KeyError, AssertionError, StopIteration)
"""A model that refuses other sizes or places has read them."""


class SideInputs(Question):
    """Changes every array that carries no data, one at a time."""

    name = "side_inputs"
    question = "Does everything that is fed beside the data, such as masks, times and labels, have an influence?"
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed such arrays, with a check of their own for none of them."""
        return None if any(True for _ in _others(trial)) else "fed nothing beside its data and what other checks change"

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule, or a refusal."""
        figures, deaf, before = Figures(), [], trial.baseline()
        for name, other in _others(trial):
            try:
                change, _ = influence(before, trial.run({**trial.inputs, name: other}), trial.dtype)
            except REFUSALS as refusal:
                figures[name] = f"refused: {str(refusal)[:80]}"
                continue
            figures[name] = change
            if change <= noise_floor(trial.dtype):
                deaf.append(name)
        return failed(f"of no influence: {', '.join(deaf)}", figures) if deaf else passed(figures)


def _others(trial: Trial) -> Iterator[tuple[str, np.ndarray]]:
    """The inputs to ask about, each with other values."""
    carrying = carriers(trial)
    for name, value in trial.inputs.items():
        if name in carrying or name in ASKED_ELSEWHERE or not isinstance(value, np.ndarray) or not value.size:
            continue
        other = _changed(value)
        if other is not None:
            yield name, other


def _changed(value: np.ndarray) -> np.ndarray | None:
    """Other numbers of the same kind: a mask that hides more, times half as long again, other ids of those in use."""
    if value.dtype.kind == "f":
        return (1.5 * np.flip(value, -1) + 0.25).astype(value.dtype)
    if value.dtype.kind not in "iub":
        return None
    if set(np.unique(value).tolist()) == {1}:
        # A mask that hides nothing, or ones that count: the end of the longest axis becomes zeros.
        axis = max(range(1, value.ndim), key=lambda place: value.shape[place], default=0)
        hidden = np.moveaxis(value.copy(), axis, -1)
        hidden[..., hidden.shape[-1] // 2 :] = 0
        return np.moveaxis(hidden, -1, axis).copy()
    if value.dtype.kind == "b":
        return ~value if value.any() else None
    other: np.ndarray = (value.max() + value.min() - value).astype(value.dtype)
    return None if np.array_equal(other, value) else other
