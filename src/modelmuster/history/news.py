"""What each run changed in what was known before it: for a feed that somebody reads every morning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelmuster.history import baselines
from modelmuster.history.changes import Comparison, Kind, compare
from modelmuster.history.side import Answer, Question, Side
from modelmuster.records import Environment
from modelmuster.store import Reader

LIMIT = 20
"""Runs that are looked at, the youngest."""


@dataclass(frozen=True, slots=True)
class News:
    """One run, against the last answer to each of its questions in the runs before it."""

    run_id: str
    created_at: str
    decided: int
    comparison: Comparison


def news(reader: Reader, limit: int = LIMIT) -> list[News]:
    """Runs that changed something, the youngest first. A run that asks less than another makes nothing vanish."""
    return list(_news(reader, limit))[::-1]


def _news(reader: Reader, limit: int) -> Iterator[News]:
    rows = reader.rows(
        "SELECT run, run_id, created_at FROM (SELECT * FROM runs ORDER BY created_at DESC, run_id DESC LIMIT $limit) "
        "ORDER BY created_at, run_id",
        limit=limit,
    )
    known: dict[Question, Answer] = {}
    last: tuple[str, Environment | None] | None = None
    for row in rows:
        side = baselines.of_run(reader, row["run_id"], row["run"])
        if last is not None:
            found = compare(Side(*last, known), side)
            changes = tuple(change for change in found.changes if change.kind is not Kind.GONE)
            if changes:
                decided = sum(answer.outcome.decided for answer in side.answers.values())
                yield News(row["run_id"], row["created_at"], decided, replace(found, changes=changes))
        known.update(side.answers)
        if side.answers:
            last = (side.name, side.environment)
