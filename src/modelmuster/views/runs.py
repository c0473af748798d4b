"""The runs that the store knows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from modelmuster.errors import UnknownName, UsageError
from modelmuster.store import Reader
from modelmuster.views.rates import Tally, tally


@dataclass(frozen=True, slots=True)
class Run:
    """A run by its id and by the store's own short key, which changes when the run is read again."""

    run_id: str
    key: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the list of runs."""

    run_id: str
    created_at: str
    last_started_at: str | None
    """When its youngest attempt began; None when there was none."""
    command: str
    targets: tuple[str, ...]
    cells: int
    cells_reached: int
    """Cells with a deciding attempt."""
    unplanned: int
    """Architectures that were selected but could not be planned."""
    damages: int
    """Lines and files of its folder that could not be used."""
    hostname: str | None
    git_commit: str | None
    tally: Tally


def runs(reader: Reader, limit: int | None = None) -> list[RunRow]:
    """The youngest runs first."""
    found = reader.rows(
        """
        SELECT runs.run, runs.run_id, runs.created_at, runs.last_started_at, runs.command,
            environments.hostname, environments.git_commit
        FROM runs LEFT JOIN environments USING (run)
        ORDER BY runs.created_at DESC, runs.run_id DESC LIMIT $limit
        """,
        limit=limit,
    )
    keys = [row["run"] for row in found]
    tallies = _by_run(
        reader.rows(
            "SELECT run, outcome, mock, expected, flaky, sum(results)::BIGINT AS results FROM tallies "
            "WHERE list_contains($keys, run) GROUP BY ALL",
            keys=keys,
        )
    )
    cells = _by_run(
        reader.rows(
            "SELECT run, list_sort(list(DISTINCT target)) AS targets, count(*) AS cells, "
            "count(decided_by) AS cells_reached FROM cells WHERE list_contains($keys, run) GROUP BY run",
            keys=keys,
        )
    )
    unplanned = _by_run(reader.rows("SELECT run FROM unplanned WHERE list_contains($keys, run)", keys=keys))
    damages = _by_run(reader.rows("SELECT run FROM damages JOIN folders USING (folder) WHERE run IS NOT NULL"))
    nothing: dict[str, Any] = {"targets": [], "cells": 0, "cells_reached": 0}
    made = []
    for row in found:
        key = row.pop("run")
        planned = cells[key][0] if cells[key] else nothing
        made.append(
            RunRow(
                **row,
                targets=tuple(planned["targets"]),
                cells=planned["cells"],
                cells_reached=planned["cells_reached"],
                unplanned=len(unplanned[key]),
                damages=len(damages[key]),
                tally=tally(tallies[key]),
            )
        )
    return made


def find(reader: Reader, reference: str) -> Run:
    """The run of that id, or the only one that begins so, or the `latest`.

    Raises:
        UnknownName: there is none.
        UsageError: several begin so.
    """
    if reference == "latest":
        row = reader.rows("SELECT run_id, run FROM runs ORDER BY created_at DESC, run_id DESC LIMIT 1")[0]
        return Run(row["run_id"], row["run"])
    known = {row["run_id"]: row["run"] for row in reader.rows("SELECT run_id, run FROM runs ORDER BY run_id")}
    matching = [reference] if reference in known else [name for name in known if name.startswith(reference)]
    if not matching:
        raise UnknownName("run", reference, known, see="muster db info")
    if len(matching) > 1:
        raise UsageError(f"{len(matching)} runs begin with {reference!r}", hint=f"such as: {', '.join(matching[:3])}")
    return Run(matching[0], known[matching[0]])


def _by_run(rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["run"]].append(row)
    return grouped
