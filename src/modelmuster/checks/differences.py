"""How two runs of one target differ, and when the difference is no more than rounding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.numerics.rule import TOLERANCES, Comparison, Verdict, judge, saturated

TWO_RUNS = 2.0
"""Both runs round: their difference may be twice what one may be off."""

MARK = float(np.finfo(np.float32).max) / 2
"""Values beyond are no numbers but marks: some models write the end of float32's range where others write infinity."""

FAR = 100.0
"""Times the largest of the other values: where masks write a number of their own, such as -1e4."""


def same(trial: Trial, expected: Outputs, got: Outputs) -> Comparison:
    """Judge one run by another, as if it were the reference, with twice the tolerance of a single run."""
    own = {name: TWO_RUNS * error for name, error in trial.rounding().items()}
    return judge(expected, own, got, trial.dtype)


def agrees(compared: Comparison) -> bool:
    """Whether nothing is off; what no runtime could get right is nobody's failure."""
    return compared.verdict in {Verdict.PASS, Verdict.UNJUDGED}


def off(compared: Comparison) -> str:
    """The output that is off most, and by how much, in words."""
    judged = compared.outputs[compared.worst]
    if judged.relative_rmse != judged.relative_rmse:
        return f"{compared.worst}: {judged.rule}"
    return f"{compared.worst} is off by {judged.relative_rmse:.1e} of its size"


def size_of(compared: Comparison) -> float:
    """Relative error of the output that is off most."""
    return compared.outputs[compared.worst].relative_rmse


def influence(before: Outputs, after: Outputs, dtype: str) -> tuple[float, str]:
    """The largest relative change of an output, as rms of the difference ÷ rms before, and the output's name.

    Infinite where a shape or an integer changed. Compare it with `noise_floor`.
    """
    changes = {name: _change(output, after.get(name), dtype) for name, output in before.items()}
    most = max(changes, key=lambda name: changes[name], default="")
    return changes.get(most, 0.0), most


def noise_floor(dtype: str) -> float:
    """Relative change below which nothing is said to have changed: the floor of the tolerance rule."""
    tolerance = TOLERANCES[dtype]
    return tolerance.floor * tolerance.step if dtype == "float32" else tolerance.step


def rows(outputs: Outputs, index: slice | list[int] | np.ndarray, batch: int) -> dict[str, Output]:
    """Those rows of every output that has one row for each of the batch."""
    return {
        name: Output(output.array[index], output.dtype)
        for name, output in outputs.items()
        if output.array.ndim >= 1 and output.array.shape[0] == batch
    }


def floats(outputs: Outputs) -> Mapping[str, np.ndarray]:
    """The floating-point outputs as float64 arrays."""
    return {name: output.array.astype(np.float64) for name, output in outputs.items() if output.array.dtype.kind == "f"}


def relative_rms(difference: np.ndarray, base: np.ndarray) -> float:
    """Root mean square of the finite differences ÷ that of the base; 0 where the base has no size."""
    kept = np.isfinite(difference) & np.isfinite(base) & (np.abs(base) < MARK)
    if not kept.any():
        return 0.0
    peak = float(np.abs(base[kept]).max())
    size = float(np.sqrt(np.mean((base[kept] / peak) ** 2))) if peak else 0.0
    return float(np.sqrt(np.mean((difference[kept] / peak) ** 2))) / size if size else 0.0


def _marked(values: np.ndarray) -> np.ndarray:
    """Where the value stands that is furthest from zero, if that is no number but a mark: often there, and far off."""
    finite = values[np.isfinite(values)]
    extreme = finite[np.abs(finite).argmax()] if finite.size else np.nan
    rest = finite[finite != extreme]
    often = 0 < rest.size < finite.size - 1
    return np.asarray(values == extreme) & (often and bool(np.abs(extreme) > FAR * np.abs(rest).max()))


def _change(before: Output, after: Output | None, dtype: str) -> float:
    if after is None or before.array.shape != after.array.shape:
        return np.inf
    if before.array.dtype.kind != "f":
        return 0.0 if np.array_equal(before.array, after.array) else np.inf
    first, second = saturated(before.array.astype(np.float64), dtype), saturated(after.array.astype(np.float64), dtype)
    if not np.array_equal(np.isfinite(first), np.isfinite(second)):
        return np.inf
    finite = np.isfinite(first) & ~(_marked(first) & (first == second))
    if not np.abs(first[finite]).any():
        return np.inf if second[finite].any() else 0.0
    return relative_rms(second[finite] - first[finite], first[finite])
