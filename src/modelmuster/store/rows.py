"""Turns the records of one run into table rows, and says what of them has no place in the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from modelmuster.records import Cell, CellRecord, Environment, Inference, Plan, Result
from modelmuster.store.folders import Damage
from modelmuster.timing import Timing

Row: TypeAlias = dict[str, Any]
Sink: TypeAlias = Callable[[str, Row], None]
"""Takes the name of a table and a row for it."""


def run_rows(
    run: int, plan: Plan, environment: Environment | None, records: Iterable[CellRecord], add: Sink
) -> list[Damage]:
    """Hand over every row of one run, and return what has no place in its plan.

    Args:
        run: The short key of the run.
        plan: What it set out to do.
        environment: Where it ran, if that is known.
        records: Its journal, in order.
        add: Takes the rows.
    """
    misfits: list[str] = []
    progress = _planned_cells(plan, misfits)
    youngest: str | None = None
    seen_inference: dict[str, Inference] = {}
    for entry, record in enumerate(records, start=1):
        reached = progress.get(record.cell.id)
        if record.run_id != plan.run_id or reached is None:
            what = f"run {record.run_id!r}" if record.run_id != plan.run_id else f"cell {record.cell.id!r}"
            misfits.append(f"record {entry} is about the {what}, which the plan lacks")
            continue
        reached.attempts += 1
        if record.final:
            reached.decided_by = entry
        seen_inference[reached.cell.target] = record.provenance.inference
        youngest = max(youngest or "", record.started_at)
        recipe_hash = _add_recipe(record, add)
        add("attempts", _attempt(run, reached.place, entry, record, recipe_hash))
        for place, result in _placed(record, entry, reached.cell, misfits):
            add("answers", _answer(run, reached.place, entry, place, result))
            if result.timing is not None:
                add("timings", {"run": run, "cell": reached.place, "entry": entry} | _timing(result.timing))
    for cell_id, reached in progress.items():
        add("cells", _cell(run, cell_id, reached, seen_inference.get(reached.cell.target)))
        for place, check in enumerate(reached.cell.checks):
            add("planned", {"run": run, "cell": reached.place, "place": place, "check_name": check})
    _add_run(run, plan, environment, youngest, add)
    return [Damage(plan.run_id, "journal.jsonl", None, misfit) for misfit in misfits]


class _Progress:
    """How far one planned cell got, while its journal is read."""

    __slots__ = ("attempts", "cell", "decided_by", "place")

    def __init__(self, place: int, cell: Cell) -> None:
        self.place, self.cell = place, cell
        self.attempts = 0
        self.decided_by: int | None = None


def _planned_cells(plan: Plan, misfits: list[str]) -> dict[str, _Progress]:
    cells: dict[str, _Progress] = {}
    for place, cell in enumerate(plan.cells):
        cell_id = cell.id
        if cell_id in cells:
            misfits.append(f"the cell {cell_id!r} is planned twice")
        else:
            cells[cell_id] = _Progress(place, cell)
    return cells


def _placed(record: CellRecord, entry: int, cell: Cell, misfits: list[str]) -> Iterator[tuple[int, Result]]:
    """The results of a record with the places of their checks in the plan."""
    open_places = {check: place for place, check in enumerate(cell.checks)}
    for result in record.results:
        place = open_places.pop(result.check, None)
        if place is None:
            reason = "twice" if result.check in cell.checks else "unasked"
            misfits.append(f"record {entry} answers the check {result.check!r} of {cell.id!r} {reason}")
        else:
            yield place, result


def _add_run(run: int, plan: Plan, environment: Environment | None, youngest: str | None, add: Sink) -> None:
    add(
        "runs",
        {
            "run": run,
            "run_id": plan.run_id,
            "created_at": plan.created_at,
            "command": plan.command,
            "last_started_at": youngest,
        },
    )
    for model_type, reason in plan.unplanned.items():
        add("unplanned", {"run": run, "model_type": model_type, "reason": reason})
    if environment is None:
        return
    add(
        "environments",
        {
            "run": run,
            "python": environment.python,
            "platform": environment.platform,
            "cpu": environment.cpu,
            "cores": environment.cores,
            "memory_bytes": environment.memory_bytes,
            "git_commit": environment.commit,
            "hostname": environment.hostname,
        },
    )
    for package in environment.packages:
        add("packages", {"run": run, "name": package.name, "version": package.version})
    for target, device in environment.devices.items():
        add("devices", {"run": run, "target": target, "device": device})


def _add_recipe(record: CellRecord, add: Sink) -> str | None:
    if record.recipe is None:
        return None
    body = msgspec.json.encode(record.recipe)
    recipe_hash = record.recipe.hash or hashlib.sha256(body).hexdigest()
    add("recipes", {"hash": recipe_hash, "body": body.decode()})
    return recipe_hash


def _cell(run: int, cell_id: str, reached: _Progress, inference: Inference | None) -> Row:
    cell = reached.cell
    return {
        "run": run,
        "cell": reached.place,
        "cell_id": cell_id,
        "model_type": cell.model_type,
        "model_class": cell.model_class,
        "family": cell.family,
        "target": cell.target,
        "dtype": cell.dtype,
        "scale": cell.scale,
        "seed": cell.seed,
        "checkpoint": cell.checkpoint,
        "batch": cell.batch,
        "sequence": cell.sequence,
        "attention": cell.attention,
        "target_inference": inference,
        "attempts": reached.attempts,
        "decided_by": reached.decided_by,
    }


def _attempt(run: int, cell: int, entry: int, record: CellRecord, recipe_hash: str | None) -> Row:
    seen = record.provenance.evidence
    return {
        "run": run,
        "cell": cell,
        "entry": entry,
        "attempt": record.attempt,
        "final": record.final,
        "lost": record.lost,
        "worker": record.worker,
        "started_at": record.started_at,
        "inference": record.provenance.inference,
        "weights": record.provenance.weights,
        "device": record.provenance.device,
        "device_name": seen.device_name if seen else None,
        "device_kind": seen.device_kind if seen else None,
        "precision_seen": seen.precision if seen else None,
        "route": seen.route if seen else None,
        "nodes_total": seen.nodes_total if seen else None,
        "nodes_on_target": seen.nodes_on_target if seen else None,
        "fallbacks": seen.fallbacks if seen else None,
        "counts": msgspec.json.encode(seen.counts).decode() if seen and seen.counts else None,
        "duration_ms": record.measurement.duration_ms,
        "cpu_ms": record.measurement.cpu_ms,
        "peak_rss_bytes": record.measurement.peak_rss_bytes,
        "stages_ms": msgspec.json.encode(record.stages_ms).decode(),
        "recipe_hash": recipe_hash,
        "log_tail": record.log_tail,
    }


def _answer(run: int, cell: int, entry: int, place: int, result: Result) -> Row:
    error = result.error
    return {
        "run": run,
        "cell": cell,
        "entry": entry,
        "place": place,
        "check_name": result.check,
        "outcome": result.outcome,
        "stage": result.stage,
        "message": result.message,
        "figures": msgspec.json.encode(result.figures).decode(),
        "error_type": error.type if error else None,
        "error_message": error.message if error else None,
        "traceback": error.traceback if error else None,
        "fingerprint": error.fingerprint if error else None,
        "duration_ms": result.measurement.duration_ms,
        "cpu_ms": result.measurement.cpu_ms,
        "peak_rss_bytes": result.measurement.peak_rss_bytes,
        "expected": result.expected,
        "flaky": result.flaky,
    }


def _timing(timing: Timing) -> Row:
    return msgspec.structs.asdict(timing) | {"throughput": msgspec.json.encode(timing.throughput).decode()}
