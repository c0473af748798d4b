"""Rows of a batch: taking them apart and putting them in another order."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np

from modelmuster.checks.feeding import batch_size
from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.nested import members_of

_PACKED = re.compile(r"(image|pixel|video)_(values|grid|patches)\w*|pixel_values_videos|spatial_shapes")
"""Inputs in which every row of a batch may have several entries: recipes give each row as many of the same size."""


_PAIRS = re.compile(r"logits_per_\w+|logits_\w+_(text|audio|video)")
"""Tables that compare every item of one tower with every item of the other."""


def separable(trial: Trial) -> str | None:
    """Why the rows of the recipe's inputs cannot be told apart, or None."""
    batch = batch_size(trial)
    if batch is None or batch < 2:
        return "the inputs have no axis for the rows of a batch"
    packed = sorted(name for name, value in trial.inputs.items() if not _has_rows(name, value, batch))
    return f"{', '.join(packed)} does not have one row for each of the batch" if packed else None


def taken(trial: Trial, order: list[int]) -> dict[str, Any]:
    """The inputs with these rows, in this order."""
    batch = batch_size(trial) or 0
    return {name: _rows(name, value, order, batch) for name, value in trial.inputs.items()}


def by_row(trial: Trial) -> dict[str, Output]:
    """The outputs of the recipe's inputs that have one row for each of the batch.

    A first axis of that length alone proves nothing, since it may be that of two layers: the rows are then on the
    second axis, which is as long as the batch, and one long when the first row is run alone.
    """
    batch, alone = batch_size(trial) or 0, trial.run(taken(trial, [0]))
    return {
        name: output
        for name, output in trial.baseline().items()
        if output.array.ndim
        and output.array.shape[0] == batch
        and not (output.array.shape[1:2] == (batch,) and name in alone and alone[name].array.shape[:2] == (batch, 1))
    }


def tables(trial: Trial) -> frozenset[str]:
    """Outputs that have something for each pair of rows, a text told of each image: one pair when a row is alone."""
    batch, alone = batch_size(trial) or 0, trial.run(taken(trial, [0]))
    return frozenset(
        name
        for name, output in trial.baseline().items()
        if output.array.shape[:2] == (batch, batch) and name in alone and alone[name].array.shape[:2] == (1, 1)
    )


def rows(outputs: Outputs, order: list[int], batch: int, pairs_of: Collection[str] = ()) -> dict[str, Output]:
    """Those rows of the outputs that have one for each of the batch; both axes of a table of pairs."""
    found = {}
    for name, output in outputs.items():
        array = output.array
        if array.ndim == 0 or array.shape[0] != batch:
            continue
        named = array.ndim == 2 and _PAIRS.fullmatch(name) is not None
        pairs = array.shape[1:2] == (batch,) and (named or name in pairs_of)
        found[name] = Output(array[np.ix_(order, order)] if pairs else array[order], output.dtype)
    return found


def comparable(together: Outputs, alone: Outputs) -> dict[str, Output]:
    """What a row gives in its batch, without the outputs that are padded there to the length of the longest row."""
    return {
        name: output
        for name, output in together.items()
        if name in alone and not _shorter(alone[name].array.shape, output.array.shape)
    }


def _shorter(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return len(first) == len(second) and first != second and all(a <= b for a, b in zip(first, second, strict=True))


def _has_rows(name: str, value: Any, batch: int) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 or value.shape[0] == batch or _is_packed(name, value, batch)
    if isinstance(value, list | tuple):
        return len(value) == batch
    # Dictionaries and dataclasses are passed whole, caches among them, whose members need not be rows.
    return not members_of(value)


def _is_packed(name: str, value: np.ndarray, batch: int) -> bool:
    """Whether the patches of all images lie one after the other, as many for each row of the batch."""
    return bool(_PACKED.fullmatch(name)) and value.ndim >= 2 and value.shape[0] % batch == 0


def _rows(name: str, value: Any, order: list[int], batch: int) -> Any:
    if isinstance(value, np.ndarray):
        if value.ndim and value.shape[0] != batch and _is_packed(name, value, batch):
            return np.concatenate([np.split(value, batch)[row] for row in order])
        return value[order] if value.ndim else value
    return type(value)(value[row] for row in order) if isinstance(value, list | tuple) else value
