"""Which release changed an answer: a binary search that steps around releases which cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a release is to the search."""

    GOOD = "good"
    BAD = "bad"
    UNDECIDED = "undecided"
    """It cannot be installed, or the check gives no answer with it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the answer changed."""

    last_good: str
    first_bad: str
    undecided: tuple[str, ...]
    """Releases between the two that gave no answer; the change may as well be in one of them."""


def search(releases: Sequence[str], ask: Callable[[str], Verdict]) -> Found:
    """Find the first bad release.

    Args:
        releases: from one that is known to be good to one that is known to be bad.
        ask: the verdict on a release between them; called once for each that is needed.
    """
    good, bad = 0, len(releases) - 1
    undecided: set[int] = set()
    while candidates := [place for place in range(good + 1, bad) if place not in undecided]:
        middle = min(candidates, key=lambda place: abs(2 * place - good - bad))
        match ask(releases[middle]):
            case Verdict.GOOD:
                good = middle
            case Verdict.BAD:
                bad = middle
            case Verdict.UNDECIDED:
                undecided.add(middle)
    return Found(releases[good], releases[bad], tuple(releases[good + 1 : bad]))
