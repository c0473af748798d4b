"""What goes on at this moment, from the folders of runs: their last look and their journal. Nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from modelmuster.errors import InfrastructureError
from modelmuster.records import HELD, Inference, Outcome
from modelmuster.runs import folders, journal, status
from modelmuster.runs.status import RunStatus
from modelmuster.settings import Home
from modelmuster.views.rates import Tally, tally

LOOKED_AT = 3
"""How many of the youngest runs are looked at."""


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


def live(home: Home) -> list[Live]:
    """The runs that have not ended, as far as their last look says; the youngest first."""
    found = []
    for run_id in sorted(folders.run_ids(home), reverse=True)[:LOOKED_AT]:
        folder = folders.open_run(home, run_id)
        seen = status.read(folder.status)
        if seen is None or seen.ended:
            continue
        try:
            plan = folder.read_plan()
            records = journal.read_lenient(folder.journal).records
        except InfrastructureError:
            # A run that is being begun: its plan is not there yet, and a moment later it is.
            continue
        final = [record for record in records if record.final]
        planned: dict[str, int] = defaultdict(int)
        for cell in plan.cells:
            planned[cell.target] += 1
        decided: dict[str, int] = defaultdict(int)
        rows: dict[str, list[dict[str, object]]] = defaultdict(list)
        findings = []
        for record in final:
            mock = record.provenance.inference is Inference.MOCK
            decided[record.cell.target] += 1
            for result in record.results:
                rows[record.cell.target].append(
                    {
                        "outcome": result.outcome,
                        "mock": mock,
                        "expected": result.expected is not None,
                        "flaky": result.flaky,
                        "results": 1,
                    }
                )
                if result.outcome.decided and result.outcome is not Outcome.PASS and HELD not in result.figures:
                    findings.append(LiveFinding(record.cell.id, result.check, result.outcome, result.message))
        found.append(
            Live(
                run_id=run_id,
                status=seen,
                planned=planned,
                decided=decided,
                tallies={target: tally(several) for target, several in rows.items()},
                findings=tuple(reversed(findings[-50:])),
            )
        )
    return found
