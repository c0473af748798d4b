"""Whether a run may pass: the rules, and which of them it breaks. Nothing is green because nothing was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from modelmuster.history.changes import Change, Comparison, Kind, compare
from modelmuster.history.side import Side
from modelmuster.records import FINDINGS, Outcome


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most, or the least, of each kind that passes: `[gate]` of the project's settings."""

    new_failures: int = 0
    """Unforeseen findings that the baseline does not have; all of them where there is no baseline."""
    stale_expectations: int = 0
    """Expected failures that passed."""
    unanswered: int = 0
    """Questions that the baseline decided and the run did not."""
    not_run: int = 0
    """Questions that were planned and never reached: lost work, never read as green."""
    slower: int = 0
    """Measured cells that are certainly slower than in the baseline, by more than `slower_by`."""
    slower_by: float = 0.2
    """The share of time that a cell may lose: 0.2 allows 20 % more."""
    min_decided: int = 1
    """Answers that the run must hold at least."""
    min_coverage: float = 0.0
    """Decided over planned, at least."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_coverage <= 1:
            raise ValueError("min_coverage is a share between 0 and 1")
        counts = (self.new_failures, self.stale_expectations, self.unanswered, self.not_run, self.slower)
        if min(*counts, self.min_decided, self.slower_by) < 0:
            raise ValueError("a rule counts something: it cannot be negative")


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that the run breaks."""

    rule: str
    allowed: float
    found: float
    infrastructure: bool
    """Whether lost work broke it, and no model."""
    changes: tuple[Change, ...] = ()
    """The questions behind it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says."""

    decided: int
    planned: int
    passed: int
    comparison: Comparison | None
    """None without a baseline."""
    stale: tuple[str, ...]
    broken: tuple[Broken, ...]

    @property
    def exit_code(self) -> int:
        """0 passes, 1 does not, 3 when only lost work stands in the way, 5 when nothing was decided at all."""
        if not self.decided:
            return 5
        if not self.broken:
            return 0
        return 3 if all(broken.infrastructure for broken in self.broken) else 1


def judge(
    run: Side, baseline: Side | None, rules: Rules, stale: Sequence[str] = (), slower: tuple[Change, ...] = ()
) -> Verdict:
    """Lay the rules against a run.

    Args:
        run: what is to be judged.
        baseline: what it is compared with; None to hold every unforeseen finding against it.
        rules: how much of what may pass.
        stale: expected failures that passed, in words.
        slower: what became slower by more than the rules allow, from `slower.speeds`.
    """
    outcomes = [answer.outcome for answer in run.answers.values()]
    decided, planned = sum(outcome.decided for outcome in outcomes), len(outcomes)
    comparison = compare(baseline, run) if baseline is not None else None
    failures = (
        comparison.of(Kind.NEW_FAILURE, Kind.FIRST_FAILURE, Kind.OTHER_FAILURE) if comparison else _unforeseen(run)
    )
    # What was never reached is held against the run by a rule of its own.
    silent = tuple(
        change
        for change in (comparison.of(Kind.UNANSWERED, Kind.GONE) if comparison else ())
        if change.after is not Outcome.NOT_RUN and change.before is not None and change.before.decided
    )
    unreached = _unreached(run)
    share = decided / planned if planned else 0.0
    broken = [
        *_over("new_failures", rules.new_failures, failures),
        *_over("unanswered", rules.unanswered, silent),
        *_over("slower", rules.slower, slower),
        *_over("not_run", rules.not_run, unreached, infrastructure=True),
    ]
    if len(stale) > rules.stale_expectations:
        broken.append(Broken("stale_expectations", rules.stale_expectations, len(stale), infrastructure=False))
    if decided < rules.min_decided:
        broken.append(Broken("min_decided", rules.min_decided, decided, infrastructure=bool(unreached)))
    if share < rules.min_coverage:
        broken.append(Broken("min_coverage", rules.min_coverage, share, infrastructure=bool(unreached)))
    passed = sum(outcome is Outcome.PASS for outcome in outcomes)
    return Verdict(decided, planned, passed, comparison, tuple(stale), tuple(broken))


def _over(rule: str, allowed: int, changes: tuple[Change, ...], *, infrastructure: bool = False) -> list[Broken]:
    return [Broken(rule, allowed, len(changes), infrastructure, changes)] if len(changes) > allowed else []


def _unforeseen(run: Side) -> tuple[Change, ...]:
    return tuple(
        Change(Kind.NEW_FAILURE, *question, None, answer.outcome, answer.message, answer.reproduce)
        for question, answer in sorted(run.answers.items())
        if answer.outcome in FINDINGS and not answer.expected
    )


def _unreached(run: Side) -> tuple[Change, ...]:
    return tuple(
        Change(Kind.UNANSWERED, *question, None, answer.outcome, answer.message, answer.reproduce)
        for question, answer in sorted(run.answers.items())
        if answer.outcome is Outcome.NOT_RUN
    )
