"""Results one by one: every planned check of every planned cell, with what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from modelmuster.records import (
    HELD,
    DeviceKind,
    Family,
    Inference,
    Outcome,
    Scale,
    Stage,
    Weights,
    inference_label,
)
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import cell_of
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

    @property
    def inference_label(self) -> str:
        """Mark and word of what ran; 🚀 only where the runtime named a device."""
        return inference_label(self.inference, self.device_name is not None) if self.inference else "nothing ran"

    @property
    def word(self) -> str:
        """The outcome as it is shown: a property that held of a mock function is no `not_run`."""
        held = self.inference is Inference.MOCK and self.figures.get(HELD) is True
        return f"{Inference.MOCK.mark} held" if held else f"{self.outcome.letter} {self.outcome}"


COLUMNS = """
run_id, cell_id, model_type, model_class, family, target, dtype, scale, seed, checkpoint, batch, sequence, attention,
check_name AS "check",
outcome, stage, message, inference, weights, device, device_name, device_kind, precision_seen AS "precision", route,
nodes_total, nodes_on_target, fallbacks, duration_ms, cpu_ms, peak_rss_bytes, expected, flaky, attempt, attempts,
started_at, worker, recipe_hash, error_type, fingerprint, coalesce(figures, '{}') AS figures
"""
"""What `from_rows` needs of the store's table `results`."""


def rows(reader: Reader, narrowing: Narrowing, *, limit: int | None = None, offset: int = 0) -> list[ResultRow]:
    """Results in the order of the plan."""
    found = reader.rows(
        f"SELECT {COLUMNS} FROM {RESULTS} ORDER BY cell, place LIMIT $limit OFFSET $offset",  # noqa: S608 - constants
        **narrowing.parameters,
        limit=limit,
        offset=offset,
    )
    return from_rows(found)


def count(reader: Reader, narrowing: Narrowing) -> int:
    """How many results there are to page through."""
    found = reader.rows(f"SELECT count(*) AS results FROM {RESULTS}", **narrowing.parameters)  # noqa: S608 - a constant
    return int(found[0]["results"])


def from_rows(found: list[dict[str, Any]]) -> list[ResultRow]:
    """Results from rows with the columns that `COLUMNS` names."""
    for row in found:
        row["figures"] = msgspec.json.decode(row["figures"])
        row["reproduce"] = reproduce(cell_of(row), row["check"])
    return msgspec.convert(found, list[ResultRow])
