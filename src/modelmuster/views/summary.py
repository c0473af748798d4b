"""One run counted: in all, and by family, target and check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.records import DECIDED, Family
from modelmuster.store import Damage, Reader
from modelmuster.views.rates import Tally, tally
from modelmuster.views.runs import find


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of results, not of cells."""

    run_id: str
    total: Tally
    by_family: Mapping[Family, Tally]
    by_target: Mapping[str, Tally]
    by_check: Mapping[str, Tally]
    unplanned: Mapping[str, str]
    """Architectures that were selected but could not be planned, with the reason."""
    damages: tuple[Damage, ...]
    """What of the run's folder could not be used."""


def summary(reader: Reader, run: str = "latest") -> Summary:
    """Count a run.

    Raises:
        UnknownName: there is no such run.
    """
    found = find(reader, run)
    counted = reader.rows("SELECT * FROM tallies WHERE run = $run", run=found.key)
    families = _grouped(counted, "family")
    return Summary(
        run_id=found.run_id,
        total=tally(counted),
        by_family={family: families[family] for family in Family if family in families},
        by_target=_grouped(counted, "target"),
        by_check=_grouped(counted, "check_name"),
        unplanned=unplanned(reader, found.key),
        damages=damages(reader, found.key),
    )


def damages(reader: Reader, run: int) -> tuple[Damage, ...]:
    """What of a run's folder could not be used, by the run's short key."""
    found = reader.rows(
        "SELECT damages.* FROM damages JOIN folders USING (folder) WHERE run = $run ORDER BY file, line, reason",
        run=run,
    )
    return tuple(Damage(**row) for row in found)


def unplanned(reader: Reader, run: int) -> dict[str, str]:
    """Architectures that were selected but could not be planned, with the reason."""
    found = reader.rows("SELECT model_type, reason FROM unplanned WHERE run = $run ORDER BY model_type", run=run)
    return {row["model_type"]: row["reason"] for row in found}


def architectures(reader: Reader, run: int) -> tuple[int, int]:
    """How many architectures a run planned, and how many of them answered a question for real, by its short key."""
    [counted] = reader.rows(
        """
        SELECT count(DISTINCT model_type) AS planned,
            count(DISTINCT model_type) FILTER (NOT mock AND list_contains($decided, outcome)) AS answered
        FROM marks WHERE run = $run
        """,
        run=run,
        decided=sorted(DECIDED),
    )
    return counted["planned"], counted["answered"]


def _grouped(counted: list[dict[str, Any]], column: str) -> dict[str, Tally]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in counted:
        groups[row[column]].append(row)
    return {name: tally(groups[name]) for name in sorted(groups)}
