"""The formulas, in one place: pass rate, coverage, and which outcome stands for several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.records import FINDINGS, Outcome

WORST_FIRST = (
    Outcome.CRASH,
    Outcome.OOM,
    Outcome.TIMEOUT,
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.NOT_RUN,
    Outcome.UNSUPPORTED,
    Outcome.UNAVAILABLE,
    Outcome.PASS,
    Outcome.SKIPPED,
    Outcome.NOT_APPLICABLE,
)
"""Which outcome stands for several: all but those that say nothing about the model go before a pass."""

_SEVERITY: dict[str, int] = {outcome: -rank for rank, outcome in enumerate(WORST_FIRST)}


@dataclass(frozen=True, slots=True)
class Tally:
    """Results counted by outcome. Those of mock targets are counted apart and enter neither rates nor coverage."""

    counts: Mapping[Outcome, int]
    """Real results by outcome, without zeros."""
    mock: int = 0
    """Results of mock targets."""
    expected: int = 0
    """Findings that an entry in expectations foresaw; they are in `counts` too."""
    flaky: int = 0
    """Results that a repetition alone contradicted; they are in `counts` too."""

    @property
    def planned(self) -> int:
        """Everything that was planned on real targets."""
        return sum(self.counts.values())

    @property
    def decided(self) -> int:
        """Results that answer their question: pass + fail + error + crash + oom + timeout."""
        return sum(count for outcome, count in self.counts.items() if outcome.decided)

    @property
    def passed(self) -> int:
        """Results that passed."""
        return self.counts.get(Outcome.PASS, 0)

    @property
    def findings(self) -> int:
        """Results that were decided and did not pass."""
        return sum(count for outcome, count in self.counts.items() if outcome in FINDINGS)

    @property
    def pass_rate(self) -> float | None:
        """Passed over decided; None where nothing was decided."""
        return self.passed / self.decided if self.decided else None

    @property
    def coverage(self) -> float | None:
        """Decided over planned; None where nothing was planned."""
        return self.decided / self.planned if self.planned else None

    @property
    def worst(self) -> Outcome | None:
        """The outcome that stands for all real ones; None where there is none."""
        return max(self.counts, key=severity, default=None)

    def __str__(self) -> str:
        """Counts first, then the rate with its denominator and the coverage."""
        parts = [f"{outcome.letter} {outcome} {count}" for outcome, count in ordered(self.counts)]
        if self.pass_rate is not None:
            parts.append(f"pass rate {percent(self.pass_rate)} ({self.passed} of {self.decided} decided)")
        if self.coverage is not None:
            parts.append(f"coverage {percent(self.coverage)} ({self.decided} of {self.planned} planned)")
        if self.mock:
            parts.append(f"🔷 mock {self.mock}, not counted")
        return " · ".join(parts)


def tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    """Add up rows that have `outcome`, `mock`, `expected`, `flaky` (truth values) and `results` (a count)."""
    counts: dict[str, int] = {}
    mock = expected = flaky = 0
    for row in rows:
        number = row["results"]
        if row["mock"]:
            mock += number
            continue
        outcome = row["outcome"]
        counts[outcome] = counts.get(outcome, 0) + number
        if row["expected"] and outcome in FINDINGS:
            expected += number
        if row["flaky"]:
            flaky += number
    return Tally({Outcome(outcome): count for outcome, count in counts.items()}, mock, expected, flaky)


def severity(outcome: str) -> int:
    """Greater for what should stand for several; takes an `Outcome` or its value."""
    return _SEVERITY[outcome]


def ordered(counts: Mapping[Outcome, int]) -> list[tuple[Outcome, int]]:
    """Counts in the order in which outcomes are always shown."""
    return [(outcome, counts[outcome]) for outcome in Outcome if counts.get(outcome)]


def percent(share: float) -> str:
    """With one decimal; 100 % and 0 % only when exact, so that one failure in ten thousand stays visible."""
    rounded = round(share * 100, 1)
    if rounded == 100 and share < 1:
        return "> 99.9 %"
    if rounded == 0 and share > 0:
        return "< 0.1 %"
    return f"{rounded:.1f} %"
