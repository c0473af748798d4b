"""Rows of a batch: taking them apart and putting them in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.feeding import batch_size
from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.nested import members_of


def separable(trial: Trial) -> str | None:
    """Why the rows of the recipe's inputs cannot be told apart, or None."""
    batch = batch_size(trial)
    if batch is None or batch < 2:
        return "the inputs have no axis for the rows of a batch"
    packed = sorted(name for name, value in trial.inputs.items() if not _has_rows(value, batch))
    return f"{', '.join(packed)} does not have one row for each of the batch" if packed else None


def taken(trial: Trial, order: list[int]) -> dict[str, Any]:
    """The inputs with these rows, in this order."""
    return {name: _rows(value, order) for name, value in trial.inputs.items()}


def rows(outputs: Outputs, order: list[int], batch: int) -> dict[str, Output]:
    """Those rows of the outputs that have one for each of the batch; both axes of a table of pairs."""
    found = {}
    for name, output in outputs.items():
        array = output.array
        if array.ndim == 0 or array.shape[0] != batch:
            continue
        pairs = array.ndim == 2 and array.shape[1] == batch and "logits_per" in name
        found[name] = Output(array[np.ix_(order, order)] if pairs else array[order], output.dtype)
    return found


def _has_rows(value: Any, batch: int) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 or value.shape[0] == batch
    if isinstance(value, list | tuple):
        return len(value) == batch
    # Dictionaries and dataclasses are passed whole, caches among them, whose members need not be rows.
    return not members_of(value)


def _rows(value: Any, order: list[int]) -> Any:
    if isinstance(value, np.ndarray):
        return value[order] if value.ndim else value
    return type(value)(value[row] for row in order) if isinstance(value, list | tuple) else value
