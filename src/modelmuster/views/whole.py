"""One run as a whole, as the records that it wrote: for reports that carry everything with them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from modelmuster.records import (
    Cell,
    CellError,
    CellRecord,
    DeviceKind,
    Environment,
    Evidence,
    Inference,
    Measurement,
    Outcome,
    Plan,
    Provenance,
    Recipe,
    Result,
    Stage,
    Weights,
)
from modelmuster.store import Damage, Reader
from modelmuster.store.cells import cell_of
from modelmuster.store.environments import environment_of
from modelmuster.views.runs import Run
from modelmuster.views.summary import damages, unplanned


@dataclass(frozen=True, slots=True)
class WholeRun:
    """Plan, environment and every attempt of one run."""

    plan: Plan
    environment: Environment | None
    records: tuple[CellRecord, ...]
    """In the journal's order, attempts that do not decide included."""
    damages: tuple[Damage, ...]
    """What of the run's folder could not be used."""


def whole(reader: Reader, run: Run) -> WholeRun:
    """Everything that the store knows about a run."""
    cells = _cells(reader, run)
    return WholeRun(
        plan=_plan(reader, run, tuple(cells.values())),
        environment=environment_of(reader, run.key),
        records=_records(reader, run, cells),
        damages=damages(reader, run.key),
    )


def _cells(reader: Reader, run: Run) -> dict[int, Cell]:
    checks: dict[int, list[str]] = defaultdict(list)
    for row in reader.rows("SELECT cell, check_name FROM planned WHERE run = $run ORDER BY cell, place", run=run.key):
        checks[row["cell"]].append(row["check_name"])
    found = reader.rows("SELECT * FROM cells WHERE run = $run ORDER BY cell", run=run.key)
    return {row["cell"]: msgspec.structs.replace(cell_of(row), checks=tuple(checks[row["cell"]])) for row in found}


def _plan(reader: Reader, run: Run, cells: tuple[Cell, ...]) -> Plan:
    row = reader.rows("SELECT created_at, command FROM runs WHERE run = $run", run=run.key)[0]
    return Plan(
        run_id=run.run_id,
        created_at=row["created_at"],
        command=row["command"],
        cells=cells,
        unplanned=unplanned(reader, run.key),
    )


def _records(reader: Reader, run: Run, cells: Mapping[int, Cell]) -> tuple[CellRecord, ...]:
    recipes = {
        row["hash"]: msgspec.json.decode(row["body"], type=Recipe)
        for row in reader.rows(
            "SELECT DISTINCT recipes.hash, recipes.body FROM recipes "
            "JOIN attempts ON attempts.recipe_hash = recipes.hash WHERE attempts.run = $run",
            run=run.key,
        )
    }
    results: dict[int, list[Result]] = defaultdict(list)
    for row in reader.rows("SELECT * FROM answers WHERE run = $run ORDER BY entry, place", run=run.key):
        results[row["entry"]].append(_result(row, cells[row["cell"]].checks[row["place"]]))
    return tuple(
        CellRecord(
            run_id=run.run_id,
            cell=cells[row["cell"]],
            attempt=row["attempt"],
            final=row["final"],
            worker=row["worker"],
            started_at=row["started_at"],
            results=tuple(results[row["entry"]]),
            provenance=_provenance(row),
            measurement=_measurement(row),
            stages_ms=json.loads(row["stages_ms"]),
            recipe=recipes.get(row["recipe_hash"]),
            log_tail=row["log_tail"],
            lost=row["lost"],
        )
        for row in reader.rows("SELECT * FROM attempts WHERE run = $run ORDER BY entry", run=run.key)
    )


def _result(row: Mapping[str, Any], check: str) -> Result:
    error = None
    if row["error_type"] is not None:
        error = CellError(
            type=row["error_type"],
            message=row["error_message"],
            traceback=row["traceback"],
            fingerprint=row["fingerprint"],
        )
    return Result(
        check=check,
        outcome=Outcome(row["outcome"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        message=row["message"],
        figures=json.loads(row["figures"]),
        error=error,
        measurement=_measurement(row),
        expected=row["expected"],
        flaky=row["flaky"],
    )


def _provenance(row: Mapping[str, Any]) -> Provenance:
    evidence = None
    if row["device_name"] is not None:
        evidence = Evidence(
            device_name=row["device_name"],
            device_kind=DeviceKind(row["device_kind"]),
            precision=row["precision_seen"],
            route=row["route"],
            nodes_total=row["nodes_total"],
            nodes_on_target=row["nodes_on_target"],
            fallbacks=tuple(row["fallbacks"] or ()),
        )
    return Provenance(
        inference=Inference(row["inference"]),
        weights=Weights(row["weights"]),
        device=row["device"],
        evidence=evidence,
    )


def _measurement(row: Mapping[str, Any]) -> Measurement:
    return Measurement(duration_ms=row["duration_ms"], cpu_ms=row["cpu_ms"], peak_rss_bytes=row["peak_rss_bytes"])
