"""Targets side by side: which devices answered, what they cover, and what A can that B cannot."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from modelmuster.records import DECIDED, DeviceKind, Family, Inference, Outcome
from modelmuster.store import Reader
from modelmuster.views.matrix import Column, matrix
from modelmuster.views.narrowing import Narrowing
from modelmuster.views.rates import Tally
from modelmuster.views.runs import find

LEAST_PAIRS = 3
"""Fewer models in common give no ratio."""


@dataclass(frozen=True, slots=True)
class TargetCard:
    """What one column of the matrix covers."""

    column: Column
    families: Mapping[Family, Tally]


@dataclass(frozen=True, slots=True)
class Hardware:
    """Every column of a run."""

    run_id: str
    cards: tuple[TargetCard, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How long B took over how long A took, model by model; above 1, A is faster."""

    pairs: tuple[tuple[str, float, float], ...]
    """Model and check, and the milliseconds of A and of B."""
    mean: float
    """The geometric mean of the ratios."""
    low: float
    """With `high` the interval that holds the mean with 95 % confidence, ratios taken as log-normal."""
    high: float


@dataclass(frozen=True, slots=True)
class Versus:
    """Two columns of a run over the architectures that both planned. Mock columns are never compared."""

    run_id: str
    a: Column
    b: Column
    both: tuple[str, ...]
    only_a: tuple[str, ...]
    """Architectures that pass on A and not on B."""
    only_b: tuple[str, ...]
    neither: tuple[str, ...]
    undecided: tuple[str, ...]
    """Architectures that A or B gave no answer to: they are in none of the four."""
    ratio: Ratio | None
    no_ratio: str
    """Why times are not compared; empty where they are."""


def hardware(reader: Reader, run: str = "latest") -> Hardware:
    """The targets of a run.

    Raises:
        UnknownName: there is no such run.
    """
    found = matrix(reader, Narrowing(find(reader, run)))
    return Hardware(
        run_id=found.run_id,
        cards=tuple(
            TargetCard(column, {group.family: group.tallies[place] for group in found.families})
            for place, column in enumerate(found.columns)
        ),
    )


def versus(reader: Reader, run: str, a: str, b: str) -> Versus | None:
    """Two columns by their labels; None where the run lacks one of them.

    Raises:
        UnknownName: there is no such run.
    """
    run_found = find(reader, run)
    found = matrix(reader, Narrowing(run_found))
    places = {column.label: place for place, column in enumerate(found.columns)}
    if a not in places or b not in places:
        return None
    groups: dict[str, list[str]] = {name: [] for name in ("both", "only_a", "only_b", "neither", "undecided")}
    for group in found.families:
        for row in group.rows:
            one, other = row.cells[places[a]], row.cells[places[b]]
            if one is None or other is None or one.mock or other.mock:
                continue
            if one.outcome not in DECIDED or other.outcome not in DECIDED:
                groups["undecided"].append(row.model_type)
                continue
            passes = one.outcome is Outcome.PASS, other.outcome is Outcome.PASS
            name = {(True, True): "both", (True, False): "only_a", (False, True): "only_b"}.get(passes, "neither")
            groups[name].append(row.model_type)
    left, right = found.columns[places[a]], found.columns[places[b]]
    reason = _incomparable(left, right)
    pairs = [] if reason else _pairs(reader, run_found.key, left, right)
    if not reason and len(pairs) < LEAST_PAIRS:
        reason = f"{len(pairs)} checks were timed on both, {LEAST_PAIRS} are the least"
    return Versus(
        run_id=found.run_id,
        a=left,
        b=right,
        **{name: tuple(names) for name, names in groups.items()},
        ratio=None if reason else _ratio(pairs),
        no_ratio=reason,
    )


def _incomparable(a: Column, b: Column) -> str:
    for column in (a, b):
        if column.inference is not Inference.REAL:
            return f"on {column.label} no model really ran"
        if column.device_kind is not DeviceKind.HARDWARE:
            return f"{column.label} is software-emulated"
    if a.scale != b.scale:
        return f"{a.scale} and {b.scale} models are of different sizes"
    if a.dtype != b.dtype:
        return f"{a.dtype} and {b.dtype} are different arithmetic"
    if a.scale == "tiny":
        return "tiny models are for correctness: their times say nothing about speed; run --scale default"
    return ""


def _pairs(reader: Reader, run: int, a: Column, b: Column) -> list[tuple[str, float, float]]:
    rows = reader.rows(
        """
        WITH times AS (
            SELECT
                model_type || ' ' || check_name
                    || coalesce(' batch ' || batch, '') || coalesce(' sequence ' || sequence, '') AS name,
                replace(cell_id, '|' || target || '|', '|') AS model,  -- the cell but for its target
                check_name, target, coalesce(figure_of(figures, 'median_ms'), duration_ms) AS ms
            FROM measured
            WHERE run = $run AND dtype = $dtype AND scale = $scale AND target IN ($a, $b)
        )
        SELECT one.name, one.ms AS a, other.ms AS b
        FROM (FROM times WHERE target = $a) AS one
        JOIN (FROM times WHERE target = $b) AS other USING (model, check_name)
        WHERE one.ms > 0 AND other.ms > 0
        ORDER BY one.name
        """,
        run=run,
        dtype=a.dtype,
        scale=a.scale,
        a=a.target,
        b=b.target,
    )
    return [(row["name"], row["a"], row["b"]) for row in rows]


def _ratio(pairs: list[tuple[str, float, float]]) -> Ratio:
    logs = [math.log(b / a) for _, a, b in pairs]
    mean, error = statistics.fmean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
    half = statistics.NormalDist().inv_cdf(0.975) * error
    return Ratio(tuple(pairs), math.exp(mean), math.exp(mean - half), math.exp(mean + half))
