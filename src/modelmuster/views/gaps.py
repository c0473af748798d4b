"""Coverage: what was decided of the plan, by family and target, and why the rest was not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.records import Family, Outcome
from modelmuster.store import Reader
from modelmuster.views.rates import Tally, tally
from modelmuster.views.runs import find
from modelmuster.views.summary import architectures, unplanned


@dataclass(frozen=True, slots=True)
class Gap:
    """Planned checks that gave no answer, for one reason."""

    outcome: Outcome
    reason: str
    results: int
    targets: tuple[str, ...]
    checks: tuple[str, ...]
    architectures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """One run by family and target. Tallies count results."""

    run_id: str
    total: Tally
    targets: tuple[str, ...]
    families: Mapping[Family, Mapping[str, Tally]]
    """By family and target, where something was planned."""
    totals: Mapping[Family, Tally]
    architectures: int
    """Selected, those that could not be planned included."""
    answered: int
    """Those with a decided result of real inference."""
    gaps: tuple[Gap, ...]
    """What needs attention first: never reached, then the largest."""
    unplanned: Mapping[str, str]


GAPS = (Outcome.NOT_RUN, Outcome.UNAVAILABLE, Outcome.UNSUPPORTED, Outcome.SKIPPED, Outcome.NOT_APPLICABLE)
"""Outcomes that answer nothing, those that need attention first."""

GAP_LIMIT = 200


def coverage(reader: Reader, run: str = "latest") -> Coverage:
    """What a run decided of its plan.

    Raises:
        UnknownName: there is no such run.
    """
    found = find(reader, run)
    counted = reader.rows(
        """
        SELECT family, target, outcome, mock, expected, flaky, sum(results)::BIGINT AS results
        FROM marks WHERE run = $run GROUP BY ALL
        """,
        run=found.key,
    )
    planned, answered = architectures(reader, found.key)
    by_place: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in counted:
        by_place[row["family"]][row["target"]].append(row)
    left_out = unplanned(reader, found.key)
    return Coverage(
        run_id=found.run_id,
        total=tally(counted),
        targets=tuple(sorted({row["target"] for row in counted})),
        families={
            family: {target: tally(rows) for target, rows in by_place[family].items()}
            for family in Family
            if family in by_place
        },
        totals={
            family: tally([row for row in counted if row["family"] == family])
            for family in Family
            if family in by_place
        },
        architectures=planned + len(left_out),
        answered=answered,
        gaps=_gaps(reader, found.key),
        unplanned=left_out,
    )


def _gaps(reader: Reader, run: int) -> tuple[Gap, ...]:
    rows = reader.rows(
        """
        SELECT outcome, message AS reason, count(*) AS results,
            list_position($gaps, outcome) AS rank,
            list_sort(list(DISTINCT target)) AS targets,
            list_sort(list(DISTINCT check_name)) AS checks,
            list_sort(list(DISTINCT model_type)) AS architectures
        FROM results WHERE run = $run AND NOT mock AND list_contains($gaps, outcome)
        GROUP BY ALL
        ORDER BY rank, results DESC, reason LIMIT $limit
        """,
        run=run,
        gaps=list(GAPS),
        limit=GAP_LIMIT,
    )
    return tuple(
        Gap(
            outcome=Outcome(row["outcome"]),
            reason=row["reason"],
            results=row["results"],
            targets=tuple(row["targets"]),
            checks=tuple(row["checks"]),
            architectures=tuple(row["architectures"]),
        )
        for row in rows
    )
