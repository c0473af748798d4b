"""Steps in a series of measurements: where the level changed for good, or that the noise does not allow to tell.

The change points themselves are found by ruptures (PELT, the exact optimum of a penalised piecewise-constant fit). What
it is given, and which of its answers are believed, is decided here: logarithms, so that steps are ratios; single
outliers taken out, and told apart; noise estimated from neighbours, which a step does not inflate; nothing smaller than
the noise of the machine; and no step on the strength of one run, which a repetition has to confirm first.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LEAST = 6
"""Fewer values are not judged."""

TOO_NOISY = 0.20
"""Noise from one value to the next, as a share, beyond which no step is believed."""

SMALLEST = 0.05
"""The smallest step that is ever told."""

CONFIRMED = 3
"""A level holds for so many runs at least: fewer are outliers, or wait for a rerun."""

_NOISES = 3.0
"""A step is at least so many times the noise."""

_LONE = 5.0
"""A value so many times the noise away from its neighbours is none of theirs."""

_PENALTY = 4.0
"""What one more change point has to pay for: so many times the logarithm of the length; see `benchmarks/steps.py`."""

_AROUND = 3
_MAD = 1.4826
"""From the median absolute deviation to the standard deviation of a normal distribution."""


class Verdict(StrEnum):
    """What a series says."""

    STEADY = "steady"
    CHANGED = "changed"
    UNCONFIRMED = "needs a rerun"
    """The last value stands apart: a step or an outlier, which the next run tells."""
    TOO_NOISY = "too noisy to judge"
    TOO_FEW = "too few runs"


@dataclass(frozen=True, slots=True)
class Step:
    """A change of level."""

    at: int
    """Place of the first value of the new level."""
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """New level over old one."""
        return self.after / self.before


@dataclass(frozen=True, slots=True)
class Judgement:
    """A series judged."""

    verdict: Verdict
    noise: float | None
    """From one value to the next, as a share; None for too few values."""
    smallest: float | None
    """The smallest step that could be told from the noise, as a share."""
    steps: tuple[Step, ...] = ()
    outliers: tuple[int, ...] = ()
    """Places of values that stand apart from their neighbours."""


def judge(values: Sequence[float], *, floor: float = 0.0) -> Judgement:
    """Find the steps of a series of positive values, the oldest first.

    Args:
        values: one for each run.
        floor: the noise of the machine as a share, from other series of it; the series' own may be larger.

    Raises:
        MissingDependency: ruptures is not installed.
    """
    if len(values) < LEAST or min(values) <= 0:
        return Judgement(Verdict.TOO_FEW, None, None)
    logs = [math.log(value) for value in values]
    own = noise(values)
    spread = max(own, floor, 0.001)
    smallest = max(SMALLEST, _NOISES * spread)
    if own > TOO_NOISY:
        return Judgement(Verdict.TOO_NOISY, own, smallest)
    lone = _outliers(logs, spread)
    kept = [place for place in range(len(logs)) if place not in lone]
    steps = tuple(
        Step(kept[at], math.exp(before), math.exp(after))
        for at, before, after in _steps([logs[place] for place in kept], spread, smallest)
    )
    if len(logs) - 1 in lone:
        return Judgement(Verdict.UNCONFIRMED, own, smallest, steps, lone)
    return Judgement(Verdict.CHANGED if steps else Verdict.STEADY, own, smallest, steps, lone)


def noise(values: Sequence[float]) -> float:
    """The typical difference between neighbours, as the standard deviation of one value and as a share."""
    logs = [math.log(value) for value in values]
    moves = [abs(after - before) for before, after in itertools.pairwise(logs)]
    return _MAD * statistics.median(moves) / math.sqrt(2)


def noise_floor(several: Sequence[Sequence[float]]) -> float:
    """The noise of a machine: the median over its series that are long enough; 0 where there is none."""
    long_enough = [values for values in several if len(values) >= LEAST and min(values) > 0]
    return statistics.median(map(noise, long_enough)) if long_enough else 0.0


def _outliers(logs: Sequence[float], spread: float) -> tuple[int, ...]:
    """Values that stand apart, alone or in twos: not two of the next three on either side resemble them."""
    limit = max(_LONE * spread, SMALLEST)
    found = []
    for place, value in enumerate(logs):
        before, after = logs[max(0, place - _AROUND) : place], logs[place + 1 : place + 1 + _AROUND]
        apart = abs(value - statistics.median([*before, *after])) > limit
        if apart and not any(
            sum(abs(value - one) <= limit for one in side) >= CONFIRMED - 1 for side in (before, after)
        ):
            found.append(place)
    return tuple(found)


def _steps(logs: Sequence[float], spread: float, smallest: float) -> list[tuple[int, float, float]]:
    """Place, old and new level of each step that is large enough, the weakest given up first."""
    edges = [0, *_change_points(logs, spread), len(logs)]
    while len(edges) > 2:
        levels = [statistics.median(logs[start:end]) for start, end in itertools.pairwise(edges)]
        moves = [abs(after - before) for before, after in itertools.pairwise(levels)]
        weakest = min(range(len(moves)), key=moves.__getitem__)
        if moves[weakest] >= smallest:
            pairs = zip(edges[1:-1], levels, levels[1:], strict=False)
            return [(place, before, after) for place, before, after in pairs]
        del edges[weakest + 1]
    return []


def _change_points(logs: Sequence[float], spread: float) -> list[int]:
    import numpy as np

    from modelmuster.errors import MissingDependency

    try:
        import ruptures
    except ImportError as error:
        raise MissingDependency("ruptures", purpose="finding steps in measurements", extra="dashboard") from error
    if len(logs) < LEAST:
        return []
    scaled = np.asarray(logs, dtype=float).reshape(-1, 1) / spread
    found = (
        ruptures.Pelt(model="l2", min_size=CONFIRMED, jump=1).fit(scaled).predict(pen=_PENALTY * math.log(len(logs)))
    )
    return [int(place) for place in found[:-1]]
