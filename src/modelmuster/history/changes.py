"""Two sides compared, question by question, and what differs between the machines that answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from modelmuster.history.side import Answer, Question, Side
from modelmuster.records import FINDINGS, Outcome
from modelmuster.runs.environment import differences, software


class Kind(StrEnum):
    """What became of a question between two sides."""

    NEW_FAILURE = "new failure"
    """A finding that nobody foresaw, where there was none before."""
    FIRST_FAILURE = "failure, not asked before"
    """A finding that nobody foresaw, to a question that the old side did not ask."""
    OTHER_FAILURE = "other failure"
    """A finding as before, but of another kind: a fail became a crash."""
    FIXED = "fixed"
    UNANSWERED = "no longer answered"
    """Decided before, and now unavailable, unsupported, not applicable, or never reached."""
    ANSWERED = "now answered"
    """A pass, where nothing was decided before."""
    GONE = "no longer asked"
    SLOWER = "slower"
    """Measured on both sides on the same machine, and certainly slower now; see `slower`."""


BAD = frozenset({Kind.NEW_FAILURE, Kind.FIRST_FAILURE, Kind.OTHER_FAILURE, Kind.UNANSWERED})
"""Changes for the worse."""


@dataclass(frozen=True, slots=True)
class Change:
    """One question that is answered otherwise."""

    kind: Kind
    cell_id: str
    check: str
    before: Outcome | None
    """None where it was not asked."""
    after: Outcome | None
    message: str
    reproduce: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """An old side and a new one. Environments come first: a difference there explains many others."""

    old: str
    new: str
    environment: tuple[str, ...]
    """What differs between the machines, such as `torch 2.12.0 → 2.13.0`."""
    unknown_environment: bool
    """Whether one of the sides does not tell its environment."""
    common: int
    """Questions that both sides asked."""
    changes: tuple[Change, ...]
    """In the order of cells, the worst kinds first."""

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def compare(old: Side, new: Side) -> Comparison:
    """What changed from one side to the other."""
    found = sorted(_changes(old, new), key=lambda change: (list(Kind).index(change.kind), change.cell_id, change.check))
    return Comparison(
        old=old.name,
        new=new.name,
        environment=tuple(_environment(old, new)),
        unknown_environment=old.environment is None or new.environment is None,
        common=len(old.answers.keys() & new.answers.keys()),
        changes=tuple(found),
    )


def _changes(old: Side, new: Side) -> Iterator[Change]:
    for question in old.answers.keys() | new.answers.keys():
        before, after = old.answers.get(question), new.answers.get(question)
        kind = _kind(before, after)
        if kind is not None:
            yield _change(kind, question, before, after)


def _change(kind: Kind, question: Question, before: Answer | None, after: Answer | None) -> Change:
    return Change(
        kind,
        *question,
        before.outcome if before else None,
        after.outcome if after else None,
        after.message if after else "",
        after.reproduce if after else "",
    )


def _kind(before: Answer | None, after: Answer | None) -> Kind | None:
    if after is None:
        return Kind.GONE
    if after.outcome in FINDINGS:
        if after.expected:
            return None
        if before is None:
            return Kind.FIRST_FAILURE
        if before.outcome not in FINDINGS or before.expected:
            return Kind.NEW_FAILURE
        return Kind.OTHER_FAILURE if before.outcome is not after.outcome else None
    if before is None:
        return None
    if after.outcome is Outcome.PASS:
        if before.outcome is Outcome.PASS:
            return None
        return Kind.FIXED if before.outcome in FINDINGS else Kind.ANSWERED
    return Kind.UNANSWERED if before.outcome.decided else None


def _environment(old: Side, new: Side) -> Iterator[str]:
    before, after = old.environment, new.environment
    if before is None or after is None:
        return
    if before.cpu != after.cpu:
        yield f"processor {before.cpu} → {after.cpu}"
    for target in sorted(before.devices.keys() & after.devices.keys()):
        if before.devices[target] != after.devices[target]:
            yield f"{target} {before.devices[target]} → {after.devices[target]}"
    yield from differences(software(before), software(after))
