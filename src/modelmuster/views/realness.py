"""How much of what was planned was real, by target and by family: counts of results, mock ones apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.records import DECIDED, DeviceKind, Family
from modelmuster.store import Reader
from modelmuster.views.runs import find


@dataclass(frozen=True, slots=True)
class Realness:
    """Results by what stands behind them; they add up to everything that was planned."""

    hardware: int = 0
    """Decided, and a device of the named kind answered."""
    emulated: int = 0
    """Decided, on software that imitates the device."""
    unproven: int = 0
    """Decided before anything could be read back from the runtime."""
    nothing: int = 0
    """No answer."""
    mock: int = 0

    @property
    def planned(self) -> int:
        """All of real targets: mock results are none of them."""
        return self.hardware + self.emulated + self.unproven + self.nothing

    @property
    def share(self) -> float | None:
        """Really run on hardware over planned; None where nothing was planned."""
        return self.hardware / self.planned if self.planned else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a runtime said of itself, beside what it was asked for."""

    target: str
    asked: str
    device_name: str
    device_kind: DeviceKind
    precision: str
    route: str
    cells: int
    fallbacks: tuple[str, ...]
    """Operators that ran elsewhere in any of them."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A known upstream failure that the run met."""

    reason: str
    results: int
    architectures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Honesty:
    """One run: what was real, and what stands behind each word."""

    run_id: str
    total: Realness
    by_target: Mapping[str, Realness]
    by_family: Mapping[Family, Realness]
    seen: tuple[Seen, ...]
    foreseen: tuple[Foreseen, ...]
    flaky: int
    never_answered: tuple[str, ...]
    """Architectures of the plan without one decided result."""


def honesty(reader: Reader, run: str = "latest") -> Honesty:
    """What of a run was real.

    Raises:
        UnknownName: there is no such run.
    """
    found = find(reader, run)
    counted = reader.rows(
        """
        SELECT target, family, mock, device_kind, list_contains($decided, outcome) AS decided,
            sum(results)::BIGINT AS results, sum(results) FILTER (flaky)::BIGINT AS flaky
        FROM marks WHERE run = $run GROUP BY ALL
        """,
        run=found.key,
        decided=sorted(DECIDED),
    )
    targets = sorted({row["target"] for row in counted})
    families = {row["family"] for row in counted}
    return Honesty(
        run_id=found.run_id,
        total=_realness(counted),
        by_target={name: _realness(row for row in counted if row["target"] == name) for name in targets},
        by_family={
            family: _realness(row for row in counted if row["family"] == family)
            for family in Family
            if family in families
        },
        seen=_seen(reader, found.key),
        foreseen=_foreseen(reader, found.key),
        flaky=sum(row["flaky"] or 0 for row in counted),
        never_answered=_never_answered(reader, found.key),
    )


def realness_of(reader: Reader, runs: Iterable[int]) -> dict[int, Realness]:
    """What was real of each of these runs, by their short keys."""
    by_run: dict[int, list[Mapping[str, Any]]] = {run: [] for run in runs}
    counted = reader.rows(
        """
        SELECT run, mock, device_kind, list_contains($decided, outcome) AS decided, sum(results)::BIGINT AS results
        FROM marks WHERE list_contains($runs, run) GROUP BY ALL
        """,
        runs=list(by_run),
        decided=sorted(DECIDED),
    )
    for row in counted:
        by_run[row["run"]].append(row)
    return {run: _realness(rows) for run, rows in by_run.items()}


def _realness(rows: Iterable[Mapping[str, Any]]) -> Realness:
    counts = dict.fromkeys(("hardware", "emulated", "unproven", "nothing", "mock"), 0)
    for row in rows:
        if row["mock"]:
            counts["mock"] += row["results"]
        elif not row["decided"]:
            counts["nothing"] += row["results"]
        elif row["device_kind"] is None:
            counts["unproven"] += row["results"]
        else:
            hardware = row["device_kind"] == DeviceKind.HARDWARE
            counts["hardware" if hardware else "emulated"] += row["results"]
    return Realness(**counts)


def _seen(reader: Reader, run: int) -> tuple[Seen, ...]:
    found = reader.rows(
        """
        SELECT target, device AS asked, device_name, device_kind, precision_seen AS precision, route,
            count(*) AS cells, list_sort(list_distinct(
                list_transform(flatten(list(coalesce(fallbacks, []))), lambda one: operator_of(one))
            )) AS fallbacks
        FROM cells JOIN attempts ON attempts.run = cells.run AND attempts.cell = cells.cell
            AND attempts.entry = cells.decided_by
        WHERE cells.run = $run AND device_name IS NOT NULL
        GROUP BY target, asked, device_name, device_kind, precision, route
        ORDER BY target, cells DESC, device_name, route
        """,
        run=run,
    )
    return tuple(
        Seen(**{**row, "device_kind": DeviceKind(row["device_kind"]), "fallbacks": tuple(row["fallbacks"])})
        for row in found
    )


def _foreseen(reader: Reader, run: int) -> tuple[Foreseen, ...]:
    found = reader.rows(
        """
        SELECT expected AS reason, count(*) AS results, list_sort(list(DISTINCT model_type)) AS architectures
        FROM answers
        JOIN cells ON cells.run = answers.run AND cells.cell = answers.cell AND cells.decided_by = answers.entry
        WHERE answers.run = $run AND expected IS NOT NULL
        GROUP BY expected ORDER BY results DESC, reason
        """,
        run=run,
    )
    return tuple(Foreseen(row["reason"], row["results"], tuple(row["architectures"])) for row in found)


def _never_answered(reader: Reader, run: int) -> tuple[str, ...]:
    found = reader.rows(
        """
        SELECT model_type FROM marks WHERE run = $run AND NOT mock GROUP BY model_type
        HAVING count(*) FILTER (list_contains($decided, outcome)) = 0 ORDER BY model_type
        """,
        run=run,
        decided=sorted(DECIDED),
    )
    return tuple(row["model_type"] for row in found)
