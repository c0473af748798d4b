"""One architecture everywhere: its checks by column, what it cost, and how it fared before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.errors import UnknownName
from modelmuster.records import Family, Outcome
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of
from modelmuster.views.rates import Tally, severity, tally
from modelmuster.views.runs import find

HISTORY_RUNS = 30


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What one check said in one cell."""

    check: str
    outcome: Outcome
    mock: bool
    expected: str | None
    flaky: bool
    message: str
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class ModelCell:
    """One cell of the architecture: class × target × dtype × scale."""

    cell_id: str
    model_class: str
    target: str
    dtype: str
    scale: str
    outcome: Outcome
    """The one that stands for all its checks."""
    mock: bool
    device_name: str | None
    peak_rss_bytes: int | None
    checks: tuple[ModelCheck, ...]
    reproduce: str


@dataclass(frozen=True, slots=True)
class Past:
    """How a column of the architecture ended in one run."""

    run_id: str
    created_at: str
    outcome: Outcome
    cell_id: str


@dataclass(frozen=True, slots=True)
class Model:
    """An architecture in one run, with its past."""

    run_id: str
    model_type: str
    family: Family
    tally: Tally
    checks: tuple[str, ...]
    cells: tuple[ModelCell, ...]
    history: Mapping[str, tuple[Past, ...]]
    """By column's label, the oldest first; mock marks left out."""
    parameters: int | None
    """Of the model that was built last; None where none was."""
    siblings: tuple[str, ...]
    """Other architectures of the family in the run."""


def model(reader: Reader, run: str, model_type: str) -> Model:
    """An architecture in a run.

    Raises:
        UnknownName: there is no such run, or it planned no such architecture.
    """
    found = find(reader, run)
    rows = reader.rows(
        f"""
        SELECT cell, cell_id, {", ".join(IDENTITY)}, check_name, outcome, mock, expected, flaky, message, duration_ms,
            device_name, peak_rss_bytes, recipe_hash
        FROM results WHERE run = $run AND model_type = $name ORDER BY cell, place
        """,  # noqa: S608 - constants
        run=found.key,
        name=model_type,
    )
    if not rows:
        known = reader.rows("SELECT DISTINCT model_type FROM cells WHERE run = $run", run=found.key)
        see = f"muster matrix --run {found.run_id}"
        raise UnknownName("architecture", model_type, [row["model_type"] for row in known], see=see)
    by_cell: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_cell[row["cell"]].append(row)
    siblings = reader.rows(
        "SELECT DISTINCT model_type FROM cells WHERE run = $run AND family = $family AND model_type <> $name "
        "ORDER BY model_type",
        run=found.key,
        family=rows[0]["family"],
        name=model_type,
    )
    return Model(
        run_id=found.run_id,
        model_type=model_type,
        family=Family(rows[0]["family"]),
        tally=tally({**row, "results": 1} for row in rows),
        checks=tuple(dict.fromkeys(row["check_name"] for row in rows)),
        cells=tuple(_cell(results) for results in by_cell.values()),
        history=_history(reader, model_type),
        parameters=_parameters(reader, [row["recipe_hash"] for row in rows if row["recipe_hash"]]),
        siblings=tuple(row["model_type"] for row in siblings),
    )


def _cell(results: list[dict[str, Any]]) -> ModelCell:
    first = results[0]
    return ModelCell(
        cell_id=first["cell_id"],
        model_class=first["model_class"],
        target=first["target"],
        dtype=first["dtype"],
        scale=first["scale"],
        outcome=Outcome(max((row["outcome"] for row in results), key=severity)),
        mock=first["mock"],
        device_name=first["device_name"],
        peak_rss_bytes=first["peak_rss_bytes"],
        checks=tuple(
            ModelCheck(
                check=row["check_name"],
                outcome=Outcome(row["outcome"]),
                mock=row["mock"],
                expected=row["expected"],
                flaky=row["flaky"],
                message=row["message"],
                duration_ms=row["duration_ms"],
            )
            for row in results
        ),
        reproduce=reproduce(cell_of(first)),
    )


def _history(reader: Reader, model_type: str) -> dict[str, tuple[Past, ...]]:
    rows = reader.rows(
        """
        WITH kept AS (SELECT run, run_id, created_at FROM runs ORDER BY created_at DESC, run_id DESC LIMIT $limit)
        SELECT run_id, created_at, target || ' ' || dtype || ' ' || scale AS label,
            list({'outcome': outcome, 'cell_id': cell_id}) AS marks
        FROM marks JOIN kept USING (run)
        WHERE model_type = $name AND NOT mock
        GROUP BY run_id, created_at, label ORDER BY label, created_at, run_id
        """,
        name=model_type,
        limit=HISTORY_RUNS,
    )
    past: dict[str, list[Past]] = defaultdict(list)
    for row in rows:
        worst = max(row["marks"], key=lambda mark: severity(mark["outcome"]))
        past[row["label"]].append(Past(row["run_id"], row["created_at"], Outcome(worst["outcome"]), worst["cell_id"]))
    return {label: tuple(marks) for label, marks in past.items()}


def _parameters(reader: Reader, hashes: list[str]) -> int | None:
    if not hashes:
        return None
    rows = reader.rows(
        "SELECT CAST(json_extract(body, '$.parameters') AS BIGINT) AS parameters FROM recipes "
        "WHERE hash = $hash LIMIT 1",
        hash=hashes[-1],
    )
    return int(rows[0]["parameters"]) if rows and rows[0]["parameters"] is not None else None
