"""Findings with the same cause, together."""

from __future__ import annotations

from dataclasses import dataclass

from modelmuster.records import FINDINGS, Outcome, Stage
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of
from modelmuster.views.narrowing import RESULTS, Narrowing


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Findings of one outcome that share a fingerprint. Mock results are never among them."""

    fingerprint: str
    """Of the error; where there was none, the check and its message without numbers."""
    outcome: Outcome
    results: int
    cells: int
    architectures: tuple[str, ...]
    targets: tuple[str, ...]
    checks: tuple[str, ...]
    stages: tuple[Stage, ...]
    expected: int
    """How many of the results an entry in expectations foresaw."""
    error_type: str | None
    message: str
    """Of the first of them in the plan; so are the next three."""
    traceback: str | None
    cell_id: str
    reproduce: str


def failures(reader: Reader, narrowing: Narrowing) -> list[FailureGroup]:
    """The largest groups first, those that were all expected last."""
    found = reader.rows(
        f"""
        SELECT
            fingerprint,
            outcome,
            count(*) AS results,
            count(DISTINCT cell) AS cells,
            list_sort(list(DISTINCT model_type)) AS architectures,
            list_sort(list(DISTINCT target)) AS targets,
            list_sort(list(DISTINCT check_name)) AS checks,
            list_sort(list(DISTINCT stage) FILTER (stage IS NOT NULL)) AS stages,
            count(expected) AS foreseen,
            arg_min(
                {{
                    'error_type': error_type, 'message': coalesce(nullif(message, ''), error_message, ''),
                    'traceback': traceback, 'cell_id': cell_id, 'check_name': check_name,
                    {", ".join(f"'{name}': {name}" for name in IDENTITY)}
                }},
                (cell, place)
            ) AS sample
        FROM {RESULTS}
        WHERE NOT mock AND list_contains($findings, outcome)
        GROUP BY fingerprint, outcome
        ORDER BY foreseen = count(*), results DESC, fingerprint, outcome
        """,  # noqa: S608 - a constant
        **narrowing.parameters,
        findings=sorted(FINDINGS),
    )
    groups = []
    for row in found:
        sample = row["sample"]
        groups.append(
            FailureGroup(
                fingerprint=row["fingerprint"],
                outcome=Outcome(row["outcome"]),
                results=row["results"],
                cells=row["cells"],
                architectures=tuple(row["architectures"]),
                targets=tuple(row["targets"]),
                checks=tuple(row["checks"]),
                stages=tuple(Stage(stage) for stage in row["stages"] or ()),
                expected=row["foreseen"],
                error_type=sample["error_type"],
                message=sample["message"],
                traceback=sample["traceback"],
                cell_id=sample["cell_id"],
                reproduce=reproduce(cell_of(sample), sample["check_name"]),
            )
        )
    return groups
