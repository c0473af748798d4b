"""Who did the work of a run: machines, what they run now, what was lost, and what the several were worth."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from modelmuster.runs.status import RunStatus
from modelmuster.store import Reader
from modelmuster.views.runs import Run

SLOWEST = 10


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of a run."""

    name: str
    alive: bool | None
    """None when nobody watches it any more."""
    silent_s: float | None
    """Seconds between its last sign of life and the last look at the run."""
    slots: int | None
    targets: tuple[str, ...]
    workers: int
    """Processes that ran cells there, one after the other or side by side."""
    attempts: int
    lost: int
    """Attempts that were lost with their worker."""
    busy_s: float
    cells_per_minute: float | None
    utilisation: float | None
    """Busy time over slots × the time of the whole run; None where the slots are not known."""
    running: Mapping[str, float]
    """Cells that it runs now, with their seconds."""


@dataclass(frozen=True, slots=True)
class Slow:
    """A cell that took long."""

    cell_id: str
    machine: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Workers:
    """A run by machine. Times are wall-clock seconds."""

    run_id: str
    planned: int
    recorded: int
    live: bool
    """Whether the run goes on, as far as its last look says."""
    looked_at: str | None
    """When that was, UTC; None for a run that left no look."""
    span_s: float | None
    """From the first start to the last end."""
    work_s: float
    """What all attempts took together."""
    speed_up: float | None
    """Work over span: how many cells ran at a time, on average."""
    efficiency: float | None
    """Speed-up over slots."""
    machines: tuple[Machine, ...]
    repetitions: int
    """Attempts beyond the first of their cell."""
    waited_s: Mapping[str, float]
    """Median seconds from the start of the run to the start of a cell, by target."""
    slowest: tuple[Slow, ...]


@dataclass(frozen=True, slots=True)
class _Stint:
    cell_id: str
    target: str
    machine: str
    worker: str
    attempt: int
    lost: bool
    began: datetime
    seconds: float


def workers(reader: Reader, run: Run, status: RunStatus | None) -> Workers:
    """The machines of a run.

    Args:
        reader: an open store.
        run: which run.
        status: the last look at it; None where there is none.
    """
    stints = [
        _stint(row)
        for row in reader.rows(
            "SELECT cell_id, target, worker, attempt, lost, started_at, coalesce(duration_ms, 0) AS duration_ms "
            "FROM attempts JOIN cells USING (run, cell) WHERE run = $run AND worker <> '' ORDER BY entry",
            run=run.key,
        )
    ]
    [counts] = reader.rows(
        "SELECT count(*) AS planned, count(decided_by) AS recorded FROM cells WHERE run = $run", run=run.key
    )
    began = min((stint.began for stint in stints), default=None)
    ended = max((stint.began + timedelta(seconds=stint.seconds) for stint in stints), default=None)
    span = (ended - began).total_seconds() if began and ended else None
    machines = _machines(stints, status, span)
    work = sum(stint.seconds for stint in stints)
    speed_up = work / span if span else None
    slots = sum(machine.slots or 0 for machine in machines)
    return Workers(
        run_id=run.run_id,
        planned=counts["planned"],
        recorded=counts["recorded"],
        live=status is not None and not status.ended,
        looked_at=status.updated_at if status else None,
        span_s=span,
        work_s=work,
        speed_up=speed_up,
        efficiency=speed_up / slots if speed_up and slots else None,
        machines=machines,
        repetitions=sum(stint.attempt > 1 for stint in stints),
        waited_s=_waited(stints, began),
        slowest=tuple(
            Slow(stint.cell_id, stint.machine, stint.seconds)
            for stint in sorted(stints, key=lambda stint: -stint.seconds)[:SLOWEST]
        ),
    )


def machine_of(worker: str) -> str:
    """The machine's part of `CellRecord.worker`."""
    return worker.rpartition(":")[0]


def _stint(row: Mapping[str, Any]) -> _Stint:
    return _Stint(
        cell_id=row["cell_id"],
        target=row["target"],
        machine=machine_of(row["worker"]),
        worker=row["worker"],
        attempt=row["attempt"],
        lost=row["lost"],
        began=datetime.fromisoformat(row["started_at"]).astimezone(UTC),
        seconds=row["duration_ms"] / 1000,
    )


def _machines(stints: list[_Stint], status: RunStatus | None, span: float | None) -> tuple[Machine, ...]:
    by_machine: dict[str, list[_Stint]] = defaultdict(list)
    for stint in stints:
        by_machine[stint.machine].append(stint)
    nodes = {node.name: node for node in status.nodes} if status else {}
    made = []
    for name in sorted({*by_machine, *nodes}):
        mine, node = by_machine[name], nodes.get(name)
        busy = sum(stint.seconds for stint in mine)
        running = {
            cell: seconds
            for cell, seconds in (status.running.items() if status else ())
            if machine_of(status.places.get(cell, "") if status else "") == name
        }
        made.append(
            Machine(
                name=name,
                alive=node.alive if node else None,
                silent_s=node.silent_s if node else None,
                slots=node.slots if node else None,
                targets=node.targets if node else tuple(sorted({stint.target for stint in mine})),
                workers=len({stint.worker for stint in mine}),
                attempts=len(mine),
                lost=sum(stint.lost for stint in mine),
                busy_s=busy,
                cells_per_minute=60 * len(mine) / span if span else None,
                utilisation=busy / (span * node.slots) if span and node and node.slots else None,
                running=running,
            )
        )
    return tuple(made)


def _waited(stints: list[_Stint], began: datetime | None) -> dict[str, float]:
    waits: dict[str, list[float]] = defaultdict(list)
    for stint in stints:
        if stint.attempt == 1 and began is not None:
            waits[stint.target].append((stint.began - began).total_seconds())
    return {target: statistics.median(seconds) for target, seconds in sorted(waits.items())}
