"""Is it healthy, and what changed since the run before?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from modelmuster.records import DECIDED, Environment
from modelmuster.runs.environment import differences, software
from modelmuster.store import Reader
from modelmuster.store.environments import environment_of
from modelmuster.views.realness import Realness, honesty
from modelmuster.views.runs import Run, find
from modelmuster.views.summary import Summary, architectures, summary
from modelmuster.views.turns import Turn, turns


@dataclass(frozen=True, slots=True)
class LastRun:
    """When a target last gave an answer by real inference."""

    target: str
    run_id: str
    created_at: str
    days: float
    """Between then and the youngest run."""


@dataclass(frozen=True, slots=True)
class Overview:
    """One run, beside the one before it."""

    run_id: str
    created_at: str
    command: str
    environment: Environment | None
    summary: Summary
    realness: Realness
    architectures: int
    answered: int
    previous: str | None
    """The run before; None for the first one."""
    environment_changes: tuple[str, ...]
    """What differs between the machines of the two runs, such as `torch 2.12.0 → 2.13.0`."""
    turns: tuple[Turn, ...]
    """Marks that changed since the run before."""
    targets: tuple[LastRun, ...]
    """The longest silent first."""

    @property
    def directions(self) -> Mapping[str, int]:
        """How many marks turned which way."""
        return Counter(turn.direction for turn in self.turns)


def overview(reader: Reader, run: str = "latest", against: str | None = None) -> Overview:
    """A run beside another, by default the one before.

    Raises:
        UnknownName: there is no such run.
    """
    found = find(reader, run)
    [about] = reader.rows("SELECT created_at, command FROM runs WHERE run = $run", run=found.key)
    before = find(reader, against) if against else previous(reader, found)
    planned, answered = architectures(reader, found.key)
    counted = summary(reader, found.run_id)
    here = environment_of(reader, found.key)
    there = environment_of(reader, before.key) if before else None
    return Overview(
        run_id=found.run_id,
        created_at=about["created_at"],
        command=about["command"],
        environment=here,
        summary=counted,
        realness=honesty(reader, found.run_id).total,
        architectures=planned + len(counted.unplanned),
        answered=answered,
        previous=before.run_id if before else None,
        environment_changes=tuple(differences(_known(there), _known(here))) if here and there else (),
        turns=tuple(turns(reader, before, found)) if before else (),
        targets=_last_runs(reader),
    )


def previous(reader: Reader, run: Run) -> Run | None:
    """The run before, by the time of its making; None for the first."""
    rows = reader.rows(
        """
        SELECT run_id, run FROM runs
        WHERE (created_at, run_id) < (SELECT (created_at, run_id) FROM runs WHERE run = $run)
        ORDER BY created_at DESC, run_id DESC LIMIT 1
        """,
        run=run.key,
    )
    return Run(rows[0]["run_id"], rows[0]["run"]) if rows else None


def _known(environment: Environment) -> dict[str, str | None]:
    return {"processor": environment.cpu, "host": environment.hostname, **software(environment)}


def _last_runs(reader: Reader) -> tuple[LastRun, ...]:
    rows = reader.rows(
        """
        SELECT target, arg_max(run_id, created_at) AS run_id, max(created_at) AS created_at
        FROM tallies JOIN runs USING (run)
        WHERE NOT mock AND list_contains($decided, outcome) GROUP BY target
        """,
        decided=sorted(DECIDED),
    )
    youngest = max((moment(row["created_at"]) for row in rows), default=datetime.now(UTC))
    last = [LastRun(**row, days=(youngest - moment(row["created_at"])).total_seconds() / 86_400) for row in rows]
    return tuple(sorted(last, key=lambda one: (-one.days, one.target)))


def moment(text: str) -> datetime:
    """A time of the store; one without a zone is UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
