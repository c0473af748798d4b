"""THE tolerance rule: one function decides for every runtime whether its numbers are right. NumPy only.

A runtime is judged against the float64 reference, by the error that arithmetic in the asked dtype makes by itself. The
constants come from 701 comparisons of float32 runtimes on the CPU that are presumed right (58 architectures; PyTorch
with two attention implementations, ONNX Runtime, OpenVINO, inductor): none of them was 3 times worse than PyTorch, and
none alarms under this rule, while matrix products in bfloat16 are caught always and in TensorFloat-32 in 98 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from modelmuster.contracts import Output, Outputs


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an output may be off in one dtype."""

    step: float
    """The relative step of the dtype that the floor is counted in."""
    floor: float
    """Steps of the output's root mean square that are always allowed: K."""
    factor: float
    """Times the error that the dtype causes by itself."""
    largest: float
    """The largest finite number."""


TOLERANCES = {
    "float32": Tolerance(step=2.0**-23, floor=32.0, factor=8.0, largest=3.4028234663852886e38),
    "float16": Tolerance(step=2.0**-11, floor=8.0, factor=3.0, largest=65504.0),
    "bfloat16": Tolerance(step=2.0**-8, floor=8.0, factor=3.0, largest=3.3895313892515355e38),
    "int8": Tolerance(step=2.0**-8, floor=8.0, factor=3.0, largest=3.4028234663852886e38),
}
"""K = 32 and 8 × own for float32; K = 8 and 3 × own for the narrow types, whose own error is near their step. `int8` is
of weights alone, in float32 arithmetic: their step is their block's largest number ÷ 127, near 2⁻⁸ for most of them."""

BLOCK = 32
"""Weights of `int8` that share a scale, along the axis that a product sums over."""

PEAK_FACTOR = 4.0
"""No single float32 element may be off by more than this times the bound, taken with the largest value."""

TIGHT_RATIO = 3.0
"""Up to this many times the dtype's own error a result is called tight: no right runtime exceeded it."""

TINY_RMS = 1e-5
"""An output this small is flagged: every absolute tolerance passes it, even when it is all zeros."""

NEARLY_CONSTANT = 1e-3
"""An output whose spread is this fraction of its size is flagged: cosine and relative error say little of it.
Source: an untrained detector's boxes, with a spread of 8e-5 around one half."""

REDUCED = ("float16", "bfloat16")
"""What a float32 result is compared with to tell reduced precision from a wrong result; float16's step is also that of
TensorFloat-32."""


class Verdict(StrEnum):
    """What the rule says of an output, or of all of them: the worst of theirs, in this order."""

    PASS = "pass"  # noqa: S105
    UNJUDGED = "not judged"
    """Arithmetic in this dtype alone overflows or changes the shape, so no runtime can be held to the reference."""
    REDUCED_PRECISION = "reduced precision"
    """Too far for the dtype asked for, near enough for a narrower one."""
    SHAPE_DIFFERS = "shape differs"
    FAIL = "fail"


_SEVERITY = list(Verdict)


@dataclass(frozen=True, slots=True)
class Judged:
    """One output against its reference."""

    verdict: Verdict
    rule: str
    """Which part of the rule decided, in words."""
    max_abs: float = math.nan
    rmse: float = math.nan
    relative_rmse: float = math.nan
    """rmse ÷ root mean square of the reference."""
    one_minus_cosine: float = math.nan
    ratio: float = math.nan
    """rmse ÷ the error that the dtype causes by itself."""
    bound: float = math.nan
    """The largest rmse that passes."""
    degenerate: str = ""
    """Why the figures of this output say little."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against its reference."""

    outputs: Mapping[str, Judged]
    dtype: str

    @property
    def verdict(self) -> Verdict:
        """The worst of the outputs' verdicts."""
        return max((judged.verdict for judged in self.outputs.values()), key=_SEVERITY.index, default=Verdict.FAIL)

    @property
    def worst(self) -> str:
        """Name of the output that decides: worst verdict first, then the largest error by its bound."""
        return max(self.outputs, key=lambda name: _rank(self.outputs[name]), default="")

    @property
    def tier(self) -> str:
        """`tight` when no output exceeds `TIGHT_RATIO`, `ok` when it merely passes, empty otherwise."""
        if self.verdict is not Verdict.PASS:
            return ""
        ratios = [judged.ratio for judged in self.outputs.values() if not math.isnan(judged.ratio)]
        return "tight" if all(ratio <= TIGHT_RATIO for ratio in ratios) else "ok"

    def figures(self) -> dict[str, float | int | str | bool | None]:
        """Every number behind the verdict, by name; those of an output as `name.figure`."""
        found: dict[str, float | int | str | bool | None] = {
            "verdict": self.verdict.value,
            "tier": self.tier,
            "outputs": len(self.outputs),
            "worst_output": self.worst,
        }
        if self.outputs:
            worst = self.outputs[self.worst]
            found |= {"rule": worst.rule, **_numbers(worst)}
        for name, judged in self.outputs.items():
            found |= {f"{name}.{figure}": value for figure, value in _numbers(judged).items()}
            if judged.degenerate:
                found[f"{name}.degenerate"] = judged.degenerate
        return found


def judge(reference: Outputs, own: Mapping[str, float], observed: Outputs, dtype: str) -> Comparison:
    """Compare a run with its reference.

    Args:
        reference: the float64 outputs.
        own: by output, the root-mean-square error that `dtype` causes by itself; for integers the share that changes.
        observed: what the runtime returned. Outputs that the reference lacks are ignored: exporters add caches.
        dtype: what was asked for: arithmetic in `float32`, `float16` or `bfloat16`, or weights of `int8`.
    """
    judged = {
        name: _judge(exact, own.get(name, 0.0), observed[name], dtype)
        if name in observed
        else Judged(Verdict.FAIL, "the runtime did not return this output")
        for name, exact in reference.items()
    }
    return Comparison(judged, dtype)


def saturated(array: np.ndarray, dtype: str) -> np.ndarray:
    """The array with values at or beyond the end of the dtype's range as infinities.

    Models mark what is masked with the lowest number of a dtype, which differs between the dtypes.
    """
    if array.dtype.kind != "f":
        return array
    beyond = np.abs(array.astype(np.float64, copy=False)) >= TOLERANCES[dtype].largest * (1 - 2.0**-8)
    return np.where(beyond, np.copysign(np.inf, array), array) if beyond.any() else array


def _judge(reference: Output, own: float, observed: Output, dtype: str) -> Judged:
    exact, got = reference.array, observed.array
    if exact.shape != got.shape:
        if math.isnan(own):
            return Judged(Verdict.UNJUDGED, "rounding alone changes the shape")
        return Judged(Verdict.SHAPE_DIFFERS, f"{_shape(got)} instead of {_shape(exact)}")
    if (exact.dtype.kind in "fc") != (got.dtype.kind in "fc"):
        return Judged(Verdict.FAIL, f"{observed.dtype} instead of a type like {reference.dtype}")
    if exact.size == 0:
        return Judged(Verdict.PASS, "empty")
    if exact.dtype.kind not in "fc":
        return _judge_integers(exact, own, got, TOLERANCES[dtype].factor)
    if math.isinf(own):
        return Judged(Verdict.UNJUDGED, f"arithmetic in {dtype} alone overflows")
    return _judge_floats(saturated(exact, dtype), own, saturated(got, dtype), dtype)


def _judge_integers(exact: np.ndarray, own: float, got: np.ndarray, factor: float) -> Judged:
    """Equal, but for the elements that rounding alone changes: the largest of near ties."""
    share = float(np.mean(exact != got))
    allowed = factor * own if own > 0 else 0.0
    ratio = share / own if own > 0 else math.nan
    if share == 0:
        return Judged(Verdict.PASS, "equal", rmse=0.0, ratio=ratio, bound=allowed)
    rule = f"{share:.1%} of the elements differ, {allowed:.1%} could by rounding alone"
    return Judged(Verdict.PASS if share <= allowed else Verdict.FAIL, rule, rmse=share, ratio=ratio, bound=allowed)


def _judge_floats(exact: np.ndarray, own: float, got: np.ndarray, dtype: str) -> Judged:
    exact, got = exact.astype(_wide(exact)), got.astype(_wide(got))
    finite = np.isfinite(exact)
    if not _same_where_not_finite(exact, got, finite):
        count = int(np.sum(np.isfinite(got) != finite))
        return Judged(Verdict.FAIL, f"{count} of {exact.size} values are not finite where the reference differs")
    if not finite.any():
        return Judged(Verdict.PASS, "not finite, as the reference", degenerate="nothing in it is finite")
    exact, got = exact[finite], got[finite]
    own = 0.0 if math.isnan(own) else own
    error = np.abs(got - exact)
    # Scaled before squaring, so that neither tiny nor huge outputs leave float64's range.
    peak, rms = float(np.abs(exact).max()), _rms(exact)
    max_abs, rmse = float(error.max()), _rms(error)
    bound, rule = _bound(TOLERANCES[dtype], own, rms)
    peak_bound = PEAK_FACTOR * _bound(TOLERANCES[dtype], own, peak)[0]
    verdict = Verdict.PASS
    if rmse > bound:
        verdict = Verdict.FAIL
    elif dtype == "float32" and max_abs > peak_bound:
        verdict, rule = Verdict.FAIL, f"a single element is off by more than {peak_bound:.1e}"
    if verdict is Verdict.FAIL and dtype == "float32":
        narrow = next((name for name in REDUCED if rmse <= TOLERANCES[name].floor * TOLERANCES[name].step * rms), None)
        if narrow:
            verdict, rule = Verdict.REDUCED_PRECISION, f"{rule}; the error is that of {narrow} arithmetic"
    return Judged(
        verdict,
        rule,
        max_abs=max_abs,
        rmse=rmse,
        relative_rmse=rmse / rms if rms else math.inf if rmse else 0.0,
        one_minus_cosine=_one_minus_cosine(exact, got),
        ratio=rmse / own if own else math.nan,
        bound=bound,
        degenerate=_degenerate(exact, peak, rms),
    )


def _bound(tolerance: Tolerance, own: float, size: float) -> tuple[float, str]:
    by_own, by_floor = tolerance.factor * own, tolerance.floor * tolerance.step * size
    if by_own > by_floor:
        return by_own, f"{tolerance.factor:g} × the dtype's own error"
    return by_floor, f"{tolerance.floor:g} × the dtype's step × the output's size"


def _same_where_not_finite(exact: np.ndarray, got: np.ndarray, finite: np.ndarray) -> bool:
    if not np.array_equal(np.isfinite(got), finite):
        return False
    return bool(np.array_equal(exact[~finite], got[~finite], equal_nan=True))


def _degenerate(exact: np.ndarray, peak: float, rms: float) -> str:
    if rms <= TINY_RMS:
        return f"its size is {rms:.1e}"
    if exact.size > 1 and float(np.abs(exact - exact.mean()).max()) <= NEARLY_CONSTANT * peak:
        return "nearly constant"
    return ""


def _rms(values: np.ndarray) -> float:
    peak = float(np.abs(values).max())
    return peak * float(np.sqrt(np.mean(np.abs(values / peak) ** 2))) if peak else 0.0


def _one_minus_cosine(exact: np.ndarray, got: np.ndarray) -> float:
    """From the difference of the unit vectors, since 1 minus a computed cosine loses all digits below 1e-16."""
    sizes = _rms(exact), _rms(got)
    if not all(sizes):
        return math.nan if any(sizes) else 0.0
    return 0.5 * float(np.mean(np.abs(exact / sizes[0] - got / sizes[1]) ** 2))


def _wide(array: np.ndarray) -> type[np.floating | np.complexfloating]:
    return np.complex128 if array.dtype.kind == "c" else np.float64


def _shape(array: np.ndarray) -> str:
    return "×".join(map(str, array.shape)) or "a scalar"


def _numbers(judged: Judged) -> dict[str, float | int | str | bool | None]:
    names = ("max_abs", "rmse", "relative_rmse", "one_minus_cosine", "ratio", "bound")
    values = {name: float(getattr(judged, name)) for name in names}
    return {name: value for name, value in values.items() if not math.isnan(value)}


def _rank(judged: Judged) -> tuple[int, float]:
    excess = judged.rmse / judged.bound if judged.bound > 0 else 0.0
    return _SEVERITY.index(judged.verdict), 0.0 if math.isnan(excess) else excess
