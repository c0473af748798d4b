"""What goes on at this moment, from the folders of runs: their last look and their journal. Nothing is written."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from modelmuster.errors import InfrastructureError
from modelmuster.records import FINDINGS, HELD, CellRecord, Inference, Outcome, Plan
from modelmuster.runs import folders, journal, status
from modelmuster.runs.folders import RunFolder
from modelmuster.runs.status import RunStatus
from modelmuster.settings import Home
from modelmuster.views.rates import Tally, tally

LOOKED_AT = 3
"""How many of the youngest runs are looked at."""

FINDINGS_KEPT = 50

PACE_OF = 100
"""Cells by which the pace of a run is told, the latest ones."""


@dataclass(frozen=True, slots=True)
class LiveFinding:
    """One finding of the journal."""

    cell_id: str
    check: str
    outcome: Outcome
    message: str


@dataclass(frozen=True, slots=True)
class Live:
    """One run as its folder shows it now."""

    run_id: str
    status: RunStatus
    planned: Mapping[str, int]
    """Cells by target."""
    decided: Mapping[str, int]
    """Likewise, with a deciding record."""
    tallies: Mapping[str, Tally]
    """Results so far, by target."""
    findings: tuple[LiveFinding, ...]
    """The latest first."""
    cells_per_minute: float | None
    """Of the last `PACE_OF` cells; None before two have ended."""

    @property
    def minutes_left(self) -> float | None:
        """How long the rest takes at that pace; None where it is not known."""
        if not self.cells_per_minute:
            return None
        return (self.status.planned - self.status.recorded) / self.cells_per_minute


class LiveRuns:
    """Looks at the runs of a home again and again; of a journal it reads each time only what is new."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.Lock()

    def look(self) -> list[Live]:
        """The runs that have not ended, as far as their last look says; the youngest first."""
        with self._lock:
            before, self._followed = self._followed, {}
            found = []
            for run_id in sorted(folders.run_ids(self.home), reverse=True)[:LOOKED_AT]:
                folder = folders.open_run(self.home, run_id)
                seen = status.read(folder.status)
                if seen is None or seen.ended:
                    continue
                try:
                    followed = before.get(run_id) or _Followed(folder)
                    followed.read_on()
                except InfrastructureError:
                    # A run that is being begun: its plan is not there yet, and a moment later it is.
                    continue
                self._followed[run_id] = followed
                found.append(followed.as_of(seen))
            return found


class _Followed:
    """What was read of one run so far."""

    def __init__(self, folder: RunFolder) -> None:
        """Read its plan.

        Raises:
            InfrastructureError: it is not there, or cannot be read.
        """
        self.plan: Plan = folder.read_plan()
        self._planned = Counter(cell.target for cell in self.plan.cells)
        self._journal = journal.Follower(folder.journal)
        self._decided = Counter[str]()
        self._results: dict[str, Counter[tuple[Outcome, bool, bool, bool]]] = {}
        self._findings: deque[LiveFinding] = deque(maxlen=FINDINGS_KEPT)
        self._begun: deque[datetime] = deque(maxlen=PACE_OF)

    def read_on(self) -> None:
        """Count the records that were written since the last time.

        Raises:
            InfrastructureError: the journal cannot be read.
        """
        for record in self._journal.new():
            if record.final:
                self._count(record)

    def as_of(self, seen: RunStatus) -> Live:
        """The run with this look at it."""
        return Live(
            run_id=self.plan.run_id,
            status=seen,
            planned=self._planned,
            decided=self._decided,
            tallies={target: tally(_rows(counts.items())) for target, counts in self._results.items()},
            findings=tuple(reversed(self._findings)),
            cells_per_minute=self._pace(datetime.fromisoformat(seen.updated_at)),
        )

    def _count(self, record: CellRecord) -> None:
        mock = record.provenance.inference is Inference.MOCK
        self._decided[record.cell.target] += 1
        self._begun.append(datetime.fromisoformat(record.started_at))
        counts = self._results.setdefault(record.cell.target, Counter())
        for result in record.results:
            counts[result.outcome, mock, result.expected is not None, result.flaky] += 1
            if result.outcome in FINDINGS and HELD not in result.figures:
                self._findings.append(LiveFinding(record.cell.id, result.check, result.outcome, result.message))

    def _pace(self, now: datetime) -> float | None:
        """Cells a minute, since the first of those that ended last began."""
        if len(self._begun) < 2:
            return None
        minutes = (now.astimezone(UTC) - min(self._begun).astimezone(UTC)).total_seconds() / 60
        return len(self._begun) / minutes if minutes > 0 else None


def _rows(counts: Iterable[tuple[tuple[Outcome, bool, bool, bool], int]]) -> Iterable[dict[str, object]]:
    for (outcome, mock, expected, flaky), number in counts:
        yield {"outcome": outcome, "mock": mock, "expected": expected, "flaky": flaky, "results": number}
