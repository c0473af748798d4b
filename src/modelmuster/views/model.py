"""One architecture everywhere: its checks by column, what it cost, and how it fared before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.errors import UnknownName
from modelmuster.records import Family, Outcome
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of
from modelmuster.views.rates import Tally, severity, tally
from modelmuster.views.runs import Run, find

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
    for one in _models(reader, found, model_type):
        return one
    known = reader.rows("SELECT DISTINCT model_type FROM cells WHERE run = $run", run=found.key)
    see = f"muster matrix --run {found.run_id}"
    raise UnknownName("architecture", model_type, [row["model_type"] for row in known], see=see)


def models(reader: Reader, run: str) -> Iterator[Model]:
    """Every architecture of a run, in as many queries as one takes.

    Raises:
        UnknownName: there is no such run.
    """
    return _models(reader, find(reader, run), None)


def _models(reader: Reader, run: Run, only: str | None) -> Iterator[Model]:
    rows = reader.rows(
        f"""
        SELECT cell, cell_id, {", ".join(IDENTITY)}, check_name, outcome, mock, expected, flaky, message, duration_ms,
            device_name, peak_rss_bytes, recipe_hash
        FROM results WHERE run = $run AND ($only::VARCHAR IS NULL OR model_type = $only) ORDER BY cell, place
        """,  # noqa: S608 - constants
        run=run.key,
        only=only,
    )
    members = _members(reader, run.key)
    history = _history(reader, only)
    parameters = _parameters(reader, {row["recipe_hash"] for row in rows if row["recipe_hash"]})
    by_type: dict[str, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_type[row["model_type"]][row["cell"]].append(row)
    for name, by_cell in by_type.items():
        mine = [row for results in by_cell.values() for row in results]
        built = [parameters[row["recipe_hash"]] for row in mine if row["recipe_hash"] in parameters]
        yield Model(
            run_id=run.run_id,
            model_type=name,
            family=Family(mine[0]["family"]),
            tally=tally({**row, "results": 1} for row in mine),
            checks=tuple(dict.fromkeys(row["check_name"] for row in mine)),
            cells=tuple(_cell(results) for results in by_cell.values()),
            history=history.get(name, {}),
            parameters=built[-1] if built else None,
            siblings=tuple(other for other in members[mine[0]["family"]] if other != name),
        )


def _members(reader: Reader, run: int) -> dict[str, list[str]]:
    rows = reader.rows(
        "SELECT family, list_sort(list(DISTINCT model_type)) AS names FROM cells WHERE run = $run GROUP BY family",
        run=run,
    )
    return {row["family"]: row["names"] for row in rows}


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


def _history(reader: Reader, only: str | None) -> dict[str, dict[str, tuple[Past, ...]]]:
    rows = reader.rows(
        """
        WITH kept AS (SELECT run, run_id, created_at FROM runs ORDER BY created_at DESC, run_id DESC LIMIT $limit)
        SELECT model_type, run_id, created_at, target || ' ' || dtype || ' ' || scale AS label,
            list({'outcome': outcome, 'cell_id': cell_id}) AS marks
        FROM marks JOIN kept USING (run)
        WHERE ($only::VARCHAR IS NULL OR model_type = $only) AND NOT mock
        GROUP BY model_type, run_id, created_at, label ORDER BY model_type, label, created_at, run_id
        """,
        only=only,
        limit=HISTORY_RUNS,
    )
    past: dict[str, dict[str, list[Past]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        worst = max(row["marks"], key=lambda mark: severity(mark["outcome"]))
        past[row["model_type"]][row["label"]].append(
            Past(row["run_id"], row["created_at"], Outcome(worst["outcome"]), worst["cell_id"])
        )
    return {name: {label: tuple(marks) for label, marks in lines.items()} for name, lines in past.items()}


def _parameters(reader: Reader, hashes: set[str]) -> dict[str, int]:
    rows = reader.rows(
        "SELECT hash, CAST(json_extract(body, '$.parameters') AS BIGINT) AS parameters FROM recipes "
        "SEMI JOIN (SELECT unnest($hashes::VARCHAR[]) AS hash) USING (hash)",
        hashes=sorted(hashes),
    )
    return {row["hash"]: row["parameters"] for row in rows if row["parameters"] is not None}
