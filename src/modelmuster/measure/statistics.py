"""What a list of durations says: percentiles, and an interval that encloses the true median.

Durations of one piece of work have no normal distribution: they have a floor and a long tail. So nothing here assumes
one. The interval is that of order statistics: of n independent passes, the number that fall below the true median is
binomial with p = 1/2, whatever the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile of sorted values; None where there are too few for that share to be met."""
    count = len(ordered)
    if count * min(share, 1 - share) < 1:
        return None
    return ordered[math.ceil(share * count) - 1]


def median(ordered: Sequence[float]) -> float:
    """The middle of sorted values."""
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def median_interval(ordered: Sequence[float], confidence: float) -> tuple[float, float] | None:
    """Two of the sorted values that enclose the true median with at least this confidence; None for too few values."""
    count = len(ordered)
    missed = (1 - confidence) / 2
    rank, below = 0, 0.0
    while below + (share := _binomial(count, rank)) <= missed:
        below += share
        rank += 1
    return (ordered[rank - 1], ordered[count - rank]) if rank else None


def half_width(ordered: Sequence[float], confidence: float) -> float:
    """Half the width of the median's interval, relative to the median; infinite for too few values."""
    found = median_interval(ordered, confidence)
    middle = median(ordered) if ordered else 0.0
    return (found[1] - found[0]) / (2 * middle) if found and middle else math.inf


def _binomial(count: int, rank: int) -> float:
    """The chance that exactly `rank` of `count` fair coins show heads; by logarithms, since counts reach thousands."""
    ways = math.lgamma(count + 1) - math.lgamma(rank + 1) - math.lgamma(count - rank + 1)
    return math.exp(ways - count * math.log(2))
