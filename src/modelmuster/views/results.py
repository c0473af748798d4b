"""Results one by one: every planned check of every planned cell, with what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.records import Cell, DeviceKind, Family, Inference, Outcome, Scale, Stage, Weights
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.views.narrowing import RESULTS, Narrowing


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One check of one cell. What nothing was observed of is None."""

    run_id: str
    model_type: str
    model_class: str
    family: Family
    target: str
    dtype: str
    scale: Scale
    check: str
    outcome: Outcome
    stage: Stage | None
    message: str
    inference: Inference | None
    weights: Weights | None
    device: str | None
    """The device that was asked for."""
    device_name: str | None
    """The device that the runtime itself named after it ran; so are the next six."""
    device_kind: DeviceKind | None
    precision: str | None
    route: str | None
    nodes_total: int | None
    nodes_on_target: int | None
    fallbacks: tuple[str, ...] | None
    duration_ms: float | None
    cpu_ms: float | None
    peak_rss_bytes: int | None
    expected: str | None
    """The reason, when this outcome was foreseen."""
    flaky: bool
    attempt: int | None
    """Number of the attempt that decided."""
    attempts: int
    """How many there were."""
    started_at: str | None
    worker: str | None
    recipe_hash: str | None
    error_type: str | None
    fingerprint: str | None
    """Equal for findings with the same cause; None where there is none."""
    figures: Mapping[str, float | int | str | bool | None]
    cell_id: str
    seed: int
    checkpoint: str | None
    reproduce: str
    """The command line that asks this very question again."""


COLUMNS = """
run_id, cell_id, model_type, model_class, family, target, dtype, scale, seed, checkpoint, check_name, outcome, stage,
message, inference, weights, device, device_name, device_kind, precision_seen, route, nodes_total, nodes_on_target,
fallbacks, duration_ms, cpu_ms, peak_rss_bytes, expected, flaky, attempt, attempts, started_at, worker, recipe_hash,
error_type, fingerprint, figures
"""
"""What `from_row` needs of a row of `results`."""


def rows(reader: Reader, narrowing: Narrowing, *, limit: int | None = None, offset: int = 0) -> list[ResultRow]:
    """Results in the order of the plan."""
    found = reader.rows(
        f"SELECT {COLUMNS} FROM {RESULTS} ORDER BY cell, place LIMIT $limit OFFSET $offset",  # noqa: S608 - constants
        **narrowing.parameters,
        limit=limit,
        offset=offset,
    )
    return [from_row(row) for row in found]


def count(reader: Reader, narrowing: Narrowing) -> int:
    """How many results there are to page through."""
    found = reader.rows(f"SELECT count(*) AS results FROM {RESULTS}", **narrowing.parameters)  # noqa: S608 - a constant
    return int(found[0]["results"])


def from_row(row: Mapping[str, Any]) -> ResultRow:
    """A result from a row of the store's table `results`."""
    return ResultRow(
        run_id=row["run_id"],
        model_type=row["model_type"],
        model_class=row["model_class"],
        family=Family(row["family"]),
        target=row["target"],
        dtype=row["dtype"],
        scale=Scale(row["scale"]),
        check=row["check_name"],
        outcome=Outcome(row["outcome"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        message=row["message"],
        inference=Inference(row["inference"]) if row["inference"] else None,
        weights=Weights(row["weights"]) if row["weights"] else None,
        device=row["device"],
        device_name=row["device_name"],
        device_kind=DeviceKind(row["device_kind"]) if row["device_kind"] else None,
        precision=row["precision_seen"],
        route=row["route"],
        nodes_total=row["nodes_total"],
        nodes_on_target=row["nodes_on_target"],
        fallbacks=tuple(row["fallbacks"]) if row["fallbacks"] is not None else None,
        duration_ms=row["duration_ms"],
        cpu_ms=row["cpu_ms"],
        peak_rss_bytes=row["peak_rss_bytes"],
        expected=row["expected"],
        flaky=row["flaky"],
        attempt=row["attempt"],
        attempts=row["attempts"],
        started_at=row["started_at"],
        worker=row["worker"],
        recipe_hash=row["recipe_hash"],
        error_type=row["error_type"],
        fingerprint=row["fingerprint"],
        figures=json.loads(row["figures"]) if row["figures"] else {},
        cell_id=row["cell_id"],
        seed=row["seed"],
        checkpoint=row["checkpoint"],
        reproduce=reproduce(cell_of(row), row["check_name"]),
    )


def cell_of(row: Mapping[str, Any]) -> Cell:
    """The cell that a row of `results` or `cells` is about, without its checks."""
    return Cell(
        model_type=row["model_type"],
        model_class=row["model_class"],
        family=Family(row["family"]),
        target=row["target"],
        dtype=row["dtype"],
        scale=Scale(row["scale"]),
        seed=row["seed"],
        checkpoint=row["checkpoint"],
    )
