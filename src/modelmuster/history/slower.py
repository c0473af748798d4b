"""What became slower between two runs of `muster measure`, beyond what the measurements leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelmuster.history.changes import Change, Kind
from modelmuster.history.timings import TimedRow, timings
from modelmuster.records import MEASURE, DeviceKind, Outcome
from modelmuster.store import Reader


@dataclass(frozen=True, slots=True)
class Speeds:
    """Two runs compared by speed."""

    slower: tuple[Change, ...]
    compared: int
    """Cells that both measured well enough on the same machine."""
    left_out: int
    """Cells that both measured, but on different machines or models, or with too little evidence."""


def speeds(reader: Reader, old: str, new: str, by: float) -> Speeds:
    """Compare the measurements of two runs.

    A cell is slower when the whole interval of its median now lies above the whole interval before, by a share `by`.

    Args:
        reader: an open store.
        old: id of a run; one that is not stored holds no measurements.
        new: id of a run.
        by: the share that may always be lost.
    """
    before = {row.cell_id: row for row in timings(reader, run_id=old)}
    pairs = [(before[row.cell_id], row) for row in timings(reader, run_id=new) if row.cell_id in before]
    fit = [(first, then) for first, then in pairs if _comparable(first, then)]
    return Speeds(tuple(_slower(fit, by)), len(fit), len(pairs) - len(fit))


def _comparable(first: TimedRow, then: TimedRow) -> bool:
    same = all(
        getattr(first, name) == getattr(then, name)
        for name in (
            "hostname",
            "device_name",
            "recipe_hash",
            "threads",
            "covers",
            "asked_batch",
            "sequence",
            "attention",
        )
    )
    real = first.device_kind is then.device_kind is DeviceKind.HARDWARE
    return same and real and not (first.thin or then.thin)


def _slower(pairs: Sequence[tuple[TimedRow, TimedRow]], by: float) -> list[Change]:
    found = []
    for first, then in pairs:
        assert first.high_ms is not None
        assert then.low_ms is not None
        if then.low_ms > first.high_ms * (1 + by):
            said = (
                f"{first.median_ms:.3g} ms → {then.median_ms:.3g} ms, {then.median_ms / first.median_ms:.2f} times as "
                f"long; at least {then.low_ms:.3g} ms now, at most {first.high_ms:.3g} ms before"
            )
            passed = Outcome.PASS
            found.append(Change(Kind.SLOWER, then.cell_id, MEASURE, passed, passed, said, then.reproduce))
    return found
