"""What of the youngest run is unlike the runs before it on the same machine: failures, time and memory, by target."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from modelmuster.history.machines import Dated
from modelmuster.records import DECIDED, FINDINGS
from modelmuster.store import Reader

LEAST_BEFORE = 5
"""Runs that are needed to know what is usual."""

_TIMES = 4.0
"""So many times the usual spread away is unusual."""
_SMALLEST = {"share of findings": 0.02, "time of a cell, in ms": 0.15, "memory of a cell, in bytes": 0.10}
"""What is never told although it is outside the spread: of the share itself, else as a part of what is usual."""
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One figure of one target in the youngest run."""

    what: str
    target: str
    value: float
    usual: float
    """The median of the runs before."""
    spread: float
    """Their typical distance from it, as a standard deviation."""
    runs: int
    """How many there were."""


def anomalies(reader: Reader, runs: Sequence[Dated]) -> list[Anomaly]:
    """Figures of the last of these runs that stand apart from the same machine's earlier ones."""
    if not runs:
        return []
    mine = [run for run in runs if run.machine == runs[-1].machine]
    values: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for target, what, run, value in (*_shares(reader, mine), *_costs(reader, mine)):
        values[what, target][run] = value
    found = []
    for (what, target), by_run in sorted(values.items()):
        if runs[-1].key in by_run:
            before = [by_run[run.key] for run in mine[:-1] if run.key in by_run]
            judged = unusual(by_run[runs[-1].key], before, _SMALLEST[what], absolute=what == "share of findings")
            if judged:
                found.append(Anomaly(what, target, by_run[runs[-1].key], *judged, runs=len(before)))
    return found


def unusual(value: float, before: Sequence[float], smallest: float, *, absolute: bool) -> tuple[float, float] | None:
    """What was usual and its spread, where the value is far from it; None where it is not, or too little is known.

    Args:
        value: the one to be judged.
        before: those it is held against.
        smallest: a difference that is never told.
        absolute: whether `smallest` is itself a difference, and not a part of what is usual.
    """
    if len(before) < LEAST_BEFORE:
        return None
    usual = statistics.median(before)
    spread = _MAD * statistics.median(abs(one - usual) for one in before)
    least = smallest if absolute else smallest * usual
    return (usual, spread) if abs(value - usual) > max(_TIMES * spread, least) else None


def _shares(reader: Reader, runs: Sequence[Dated]) -> list[tuple[str, str, int, float]]:
    rows = reader.rows(
        """
        SELECT target, run, sum(results) FILTER (list_contains($findings, outcome)) AS found, sum(results) AS decided
        FROM tallies WHERE list_contains($runs, run) AND NOT mock AND list_contains($decided, outcome)
        GROUP BY target, run
        """,
        runs=[run.key for run in runs],
        findings=sorted(FINDINGS),
        decided=sorted(DECIDED),
    )
    return [(row["target"], "share of findings", row["run"], (row["found"] or 0) / row["decided"]) for row in rows]


def _costs(reader: Reader, runs: Sequence[Dated]) -> list[tuple[str, str, int, float]]:
    rows = reader.rows(
        """
        SELECT target, cells.run, median(duration_ms) AS ms, median(peak_rss_bytes) AS bytes
        FROM cells JOIN attempts ON attempts.run = cells.run AND attempts.cell = cells.cell
            AND attempts.entry = cells.decided_by
        WHERE list_contains($runs, cells.run) AND inference = 'real' AND device_kind = 'hardware'
        GROUP BY target, cells.run
        """,
        runs=[run.key for run in runs],
    )
    times = [(row["target"], "time of a cell, in ms", row["run"], row["ms"]) for row in rows if row["ms"]]
    sizes = [(row["target"], "memory of a cell, in bytes", row["run"], row["bytes"]) for row in rows if row["bytes"]]
    return [*times, *sizes]
