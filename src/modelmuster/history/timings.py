"""What was measured so far, one row for each measurement that stands: the latest of its kind on each machine.

A row that was flagged as noise stands only where there is no clean one of the same model, so that a hasty repetition
never hides what is known better. The store's view `timed` leaves out mock inference and what no runtime answered for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from modelmuster.records import Cell, DeviceKind, Family, Scale
from modelmuster.selection import reproduce
from modelmuster.store import Reader

WIDEST = 0.1
"""Half the width of the median's interval, relative to it, beyond which a row says nothing about speed."""


@dataclass(frozen=True, slots=True)
class TimedRow:
    """One measurement. What is None could not be told; see `records.Timing`."""

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
    asked_batch: int | None
    """The batch, sequence and attention that were asked for; None for the recipe's own."""
    sequence: int | None
    attention: str | None
    recipe_hash: str | None
    """Equal for measurements of the same model with the same inputs."""
    device_name: str
    device_kind: DeviceKind
    precision_seen: str
    route: str
    fallbacks: tuple[str, ...]
    hostname: str | None
    started_at: str
    stages_ms: Mapping[str, float]
    repeats: int
    warmup: int
    covers: str
    batch: int | None
    tokens: int | None
    threads: int
    first_ms: float
    median_ms: float
    low_ms: float | None
    high_ms: float | None
    confidence: float
    p10_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    throughput: Mapping[str, float]
    export_from_cache: bool | None
    peak_rss_bytes: int | None
    model_bytes: int | None
    device_bytes: int | None
    memory_method: str
    energy_mj: float | None
    energy_method: str
    deviation: float | None
    noise_floor: float
    others_cores: float
    stolen: float
    virtualised: bool | None
    flags: tuple[str, ...]
    reproduce: str
    """The command line that measures it again."""

    @property
    def half_width(self) -> float | None:
        """Half the width of the median's interval, relative to the median; None for too few passes."""
        if self.low_ms is None or self.high_ms is None:
            return None
        return (self.high_ms - self.low_ms) / (2 * self.median_ms)

    @property
    def thin(self) -> str:
        """Why the row is too little evidence of speed; empty where it is enough."""
        if self.half_width is None:
            return f"thin evidence: {self.repeats} passes"
        if self.half_width > WIDEST:
            return f"thin evidence: its median is known to ±{self.half_width:.0%} only"
        return ""

    @property
    def memory_bytes(self) -> int | None:
        """What the model takes: on an accelerator where that is told, else in the process."""
        return self.device_bytes if self.device_bytes is not None else self.model_bytes

    @property
    def samples_per_s(self) -> float | None:
        """Rows of the batch each second; None where rows cannot be told apart."""
        return self.throughput.get("samples/s")


def timings(
    reader: Reader, *, run_id: str | None = None, model_type: str | None = None, memory: bool = False
) -> list[TimedRow]:
    """The measurements that stand, in the order of their runs.

    Args:
        reader: an open store.
        run_id: only those of this run, all of them.
        model_type: only those of this architecture.
        memory: where some of a kind tell what the model takes, one of them is to stand.
    """
    found = reader.rows(
        _OF_A_RUN if run_id else _STANDING,
        model_type=model_type,
        **({"run_id": run_id} if run_id else {"memory": memory}),
    )
    return [_row(row) for row in found]


_OF_A_RUN = """
    SELECT * FROM timed WHERE run_id = $run_id AND ($model_type IS NULL OR model_type = $model_type)
    ORDER BY created_at, run, cell
"""
_STANDING = """
    WITH kinds AS (
        SELECT *, first_value(recipe_hash) OVER (
            PARTITION BY cell_id, hostname, device_name, threads ORDER BY created_at DESC
        ) AS newest
        FROM timed WHERE $model_type IS NULL OR model_type = $model_type
    )
    SELECT * EXCLUDE newest FROM kinds
    WHERE recipe_hash IS NOT DISTINCT FROM newest  -- a row of another model or version proves nothing about this one
    QUALIFY row_number() OVER (
        PARTITION BY cell_id, hostname, device_name, threads
        ORDER BY $memory AND coalesce(device_bytes, model_bytes) IS NULL, coalesce(len(flags), 0) > 0, created_at DESC
    ) = 1
    ORDER BY created_at, run, cell
"""


def _row(row: dict[str, Any]) -> TimedRow:
    for name in ("stages_ms", "throughput"):
        row[name] = msgspec.json.decode(row[name])
    row["fallbacks"] = row["fallbacks"] or ()
    row["flags"] = row["flags"] or ()
    cell = msgspec.convert(row | {"batch": row["asked_batch"], "checks": ("measure",)}, Cell)
    return msgspec.convert(row | {"reproduce": f"{reproduce(cell)} --threads {row['threads']}"}, TimedRow)
