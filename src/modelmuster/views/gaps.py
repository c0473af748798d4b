"""Coverage: what was decided of the plan, by priority, family and target, and why the rest was not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.catalog.priority import Priority, Ranking, ranking
from modelmuster.records import Family, Outcome
from modelmuster.store import Reader
from modelmuster.views.rates import Tally, tally
from modelmuster.views.runs import find
from modelmuster.views.summary import unplanned


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
class Share:
    """The architectures of one priority."""

    tally: Tally
    selected: int
    """Those that could not be planned included."""
    answered: int
    """Those with a decided result of real inference."""
    missing: tuple[str, ...]
    """The others, the most used first."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One run by family and target. Tallies count results."""

    run_id: str
    total: Tally
    targets: tuple[str, ...]
    families: Mapping[Family, Mapping[str, Tally]]
    """By family and target, where something was planned."""
    totals: Mapping[Family, Tally]
    priorities: Mapping[Priority, Share]
    """By how much people use them, the most used first; without those of which nothing was selected."""
    ranking: Ranking
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
        UsageError: the ranking by use cannot be read.
    """
    found = find(reader, run)
    counted = reader.rows(
        """
        SELECT family, target, outcome, mock, expected, flaky, sum(results)::BIGINT AS results
        FROM marks WHERE run = $run GROUP BY ALL
        """,
        run=found.key,
    )
    ranks = ranking()
    by_place: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in counted:
        by_place[row["family"]][row["target"]].append(row)
    left_out = unplanned(reader, found.key)
    priorities = _priorities(reader, found.key, ranks, left_out)
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
        priorities=priorities,
        ranking=ranks,
        architectures=sum(share.selected for share in priorities.values()),
        answered=sum(share.answered for share in priorities.values()),
        gaps=_gaps(reader, found.key),
        unplanned=left_out,
    )


def _priorities(reader: Reader, run: int, ranks: Ranking, left_out: Iterable[str]) -> dict[Priority, Share]:
    counted = reader.rows(
        """
        SELECT model_type, outcome, mock, expected, flaky, sum(results)::BIGINT AS results
        FROM marks WHERE run = $run GROUP BY ALL
        """,
        run=run,
    )
    by_name: dict[str, list[dict[str, Any]]] = {name: [] for name in left_out}
    for row in counted:
        by_name.setdefault(row["model_type"], []).append(row)
    shares = {}
    for priority in Priority:
        names = sorted(
            (name for name in by_name if ranks.of(name) is priority), key=lambda name: (ranks.place(name), name)
        )
        tallies = {name: tally(by_name[name]) for name in names}
        missing = tuple(name for name in names if not tallies[name].decided)
        if names:
            total = tally(row for name in names for row in by_name[name])
            shares[priority] = Share(total, len(names), len(names) - len(missing), missing)
    return shares


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
