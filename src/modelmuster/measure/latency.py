"""Repeats a call until the median of its duration is known well enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from modelmuster.measure import statistics

LEAST_PASSES = 20
"""Fewer are taken only where the time is up: from twenty on, an outlier no longer moves the interval's ends."""
MOST_PASSES = 20_000
LOOK_EVERY = 10
"""Passes between two looks at the interval: a look after each one would stop at the luckiest moment."""
WARMUP_PASSES = 3
WARMUP_SECONDS = 1.0
"""A call that takes longer than this is warm after one."""
OVERTIME = 3.0
"""Times the seconds asked for, after which even too few passes are enough."""


@dataclass(frozen=True, slots=True)
class Passes:
    """The durations of the counted passes, in milliseconds and in order."""

    durations_ms: tuple[float, ...]
    warmup: int
    seconds: float
    """Of all counted passes together."""

    @property
    def drift(self) -> float:
        """How much slower the second half was than the first, relative: clocks that fall, or caches that fill."""
        middle = len(self.durations_ms) // 2
        first, second = sorted(self.durations_ms[:middle]), sorted(self.durations_ms[middle:])
        return statistics.median(second) / statistics.median(first) - 1 if first else 0.0


def timed_ms(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e6


def warm_up(call: Callable[[], object]) -> int:
    """Call it a few times, so that lazy work is done and caches are warm; gives how often."""
    until = time.perf_counter() + WARMUP_SECONDS
    for done in range(1, WARMUP_PASSES + 1):
        call()
        if time.perf_counter() > until:
            return done
    return WARMUP_PASSES


def repeat(
    call: Callable[[], object], *, seconds: float, precision: float, confidence: float, least_seconds: float = 0.0
) -> Passes:
    """Time the call again and again.

    Args:
        call: runs one pass and waits for its end.
        seconds: how long to go on at most; longer only for `LEAST_PASSES`, and never more than `OVERTIME` times.
        precision: half the width of the median's interval, relative to it, that is enough.
        confidence: of that interval.
        least_seconds: how long to go on at least, for counters that are read before and after.
    """
    warmup = warm_up(call)
    durations: list[float] = []
    began = time.perf_counter()
    while len(durations) < MOST_PASSES:
        durations.append(timed_ms(call))
        spent, few = time.perf_counter() - began, len(durations) < LEAST_PASSES
        if spent > OVERTIME * seconds or (spent > seconds and not few):
            break
        if few or spent < least_seconds or len(durations) % LOOK_EVERY:
            continue
        if statistics.half_width(sorted(durations), confidence) <= precision:
            break
    return Passes(tuple(durations), warmup, time.perf_counter() - began)
