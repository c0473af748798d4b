"""One cell with everything that is known about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from modelmuster.errors import UnknownName
from modelmuster.records import Environment, Family, Inference, Outcome, Recipe, Scale, Stage
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import cell_of
from modelmuster.store.environments import environment_of
from modelmuster.views.rates import WORST_FIRST
from modelmuster.views.results import COLUMNS, ResultRow, from_rows
from modelmuster.views.runs import find


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """One check of the cell."""

    result: ResultRow
    error_message: str | None
    traceback: str | None
    same_elsewhere: int
    """Other cells of the run, mock ones left out, with the same fingerprint."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one attempt answered to one check."""

    check: str
    outcome: Outcome
    stage: Stage | None
    message: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at the cell."""

    number: int
    decides: bool
    final: bool
    lost: bool
    worker: str
    started_at: str
    inference: Inference
    duration_ms: float | None
    cpu_ms: float | None
    peak_rss_bytes: int | None
    stages_ms: Mapping[str, float]
    counts: Mapping[str, int]
    """What was counted at the device's own interfaces."""
    recipe_hash: str | None
    log_tail: str
    results: tuple[AttemptResult, ...]


@dataclass(frozen=True, slots=True)
class CellDetail:
    """All that a page about one cell needs."""

    run_id: str
    cell_id: str
    model_type: str
    model_class: str
    family: Family
    target: str
    dtype: str
    scale: Scale
    seed: int
    checkpoint: str | None
    outcome: Outcome
    """The one that stands for all its checks."""
    checks: tuple[CheckDetail, ...]
    attempts: tuple[Attempt, ...]
    """In the order of the journal."""
    recipe: Recipe | None
    """Of the deciding attempt; None when it stopped before the recipe was made."""
    environment: Environment | None
    """None when the run did not get to write it."""
    reproduce: str

    @property
    def deciding(self) -> Attempt | None:
        """The attempt that decides; None when the cell was not finished."""
        return next((attempt for attempt in self.attempts if attempt.decides), None)


def cell(reader: Reader, run: str, cell_id: str) -> CellDetail:
    """One cell of a run.

    Raises:
        UnknownName: there is no such run, or the plan has no such cell.
    """
    found = find(reader, run)
    planned = reader.rows("SELECT * FROM cells WHERE run = $run AND cell_id = $cell", run=found.key, cell=cell_id)
    if not planned:
        known = reader.rows("SELECT cell_id FROM cells WHERE run = $run", run=found.key)
        raise UnknownName("cell", cell_id, [row["cell_id"] for row in known], see=f"muster results --run {run}")
    row = planned[0]
    checks = _checks(reader, found.key, row["cell"])
    attempts = _attempts(reader, found.key, row)
    outcomes = {check.result.outcome for check in checks}
    decisive = next((attempt for attempt in attempts if attempt.decides), None)
    return CellDetail(
        run_id=found.run_id,
        cell_id=cell_id,
        model_type=row["model_type"],
        model_class=row["model_class"],
        family=Family(row["family"]),
        target=row["target"],
        dtype=row["dtype"],
        scale=Scale(row["scale"]),
        seed=row["seed"],
        checkpoint=row["checkpoint"],
        outcome=next((outcome for outcome in WORST_FIRST if outcome in outcomes), Outcome.NOT_RUN),
        checks=checks,
        attempts=attempts,
        recipe=_recipe(reader, decisive.recipe_hash if decisive else None),
        environment=environment_of(reader, found.key),
        reproduce=reproduce(cell_of(row)),
    )


def _checks(reader: Reader, run: int, cell: int) -> tuple[CheckDetail, ...]:
    found = reader.rows(
        f"SELECT {COLUMNS}, error_message, traceback FROM results "  # noqa: S608 - a constant
        "WHERE run = $run AND cell = $cell ORDER BY place",
        run=run,
        cell=cell,
    )
    marks = [row["fingerprint"] for row in found if row["fingerprint"]]
    alike = reader.rows(
        "SELECT fingerprint, count(DISTINCT cell) AS others FROM results "
        "WHERE run = $run AND cell <> $cell AND NOT mock AND list_contains($marks::VARCHAR[], fingerprint) "
        "GROUP BY fingerprint",
        run=run,
        cell=cell,
        marks=marks,
    )
    others = {row["fingerprint"]: row["others"] for row in alike}
    return tuple(
        CheckDetail(result, row["error_message"], row["traceback"], others.get(row["fingerprint"], 0))
        for result, row in zip(from_rows(found), found, strict=True)
    )


def _attempts(reader: Reader, run: int, planned: Mapping[str, Any]) -> tuple[Attempt, ...]:
    answers = reader.rows(
        "SELECT entry, check_name, outcome, stage, message FROM answers WHERE run = $run AND cell = $cell "
        "ORDER BY entry, place",
        run=run,
        cell=planned["cell"],
    )
    found = reader.rows(
        "SELECT * FROM attempts WHERE run = $run AND cell = $cell ORDER BY entry", run=run, cell=planned["cell"]
    )
    return tuple(
        Attempt(
            number=row["attempt"],
            decides=row["entry"] == planned["decided_by"],
            final=row["final"],
            lost=row["lost"],
            worker=row["worker"],
            started_at=row["started_at"],
            inference=Inference(row["inference"]),
            duration_ms=row["duration_ms"],
            cpu_ms=row["cpu_ms"],
            peak_rss_bytes=row["peak_rss_bytes"],
            stages_ms=json.loads(row["stages_ms"]),
            counts=json.loads(row["counts"] or "{}"),
            recipe_hash=row["recipe_hash"],
            log_tail=row["log_tail"],
            results=tuple(
                AttemptResult(
                    check=answer["check_name"],
                    outcome=Outcome(answer["outcome"]),
                    stage=Stage(answer["stage"]) if answer["stage"] else None,
                    message=answer["message"],
                )
                for answer in answers
                if answer["entry"] == row["entry"]
            ),
        )
        for row in found
    )


def _recipe(reader: Reader, recipe_hash: str | None) -> Recipe | None:
    if recipe_hash is None:
        return None
    found = reader.rows("SELECT body FROM recipes WHERE hash = $hash LIMIT 1", hash=recipe_hash)
    return msgspec.json.decode(found[0]["body"], type=Recipe)
