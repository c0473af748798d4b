"""Which device and dtype to take for an architecture: measured rows of that very model ranked, or a refusal.

Never from tiny models, whose latency is that of the runtime; never from emulated devices; never from mock inference;
never across models, inputs or scales. Where the evidence is thin, nothing is recommended, and it is said what to type.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from modelmuster.history.timings import TimedRow, timings
from modelmuster.history.verified import Verdict, Verified, verified
from modelmuster.records import DeviceKind, Scale
from modelmuster.store import Reader

LEAST_PASSES = 20
"""Passes below which confidence is low."""


class Objective(StrEnum):
    """What to rank by."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"
    MEMORY = "memory"
    ENERGY = "energy"


UNITS = {
    Objective.LATENCY: "ms",
    Objective.THROUGHPUT: "samples/s",
    Objective.MEMORY: "MiB",
    Objective.ENERGY: "mJ a sample",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run the model, with the row behind it."""

    row: TimedRow
    value: float
    """In the objective's unit."""
    low: float
    """This and the next are the ends of its interval; the value itself where a single reading gave it."""
    high: float
    times: float
    """How many times as good the first one is."""
    verdict: Verified


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A measured row that is not ranked."""

    row: TimedRow
    reason: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The candidates, the best first, or the reason why there is no ranking."""

    model_type: str
    objective: Objective
    unit: str
    ranked: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    refusal: str
    """Empty where there is a ranking."""
    hint: str
    """What to type then."""
    tied: int
    """How many of the first candidates cannot be told apart."""
    confidence: str
    """`high` or `low`; empty without a ranking."""
    doubts: tuple[str, ...]
    """Why it is low."""


def recommend(
    reader: Reader,
    model_type: str,
    objective: Objective = Objective.LATENCY,
    *,
    max_memory_bytes: int | None = None,
) -> Recommendation:
    """Rank what was measured of an architecture.

    Args:
        reader: an open store.
        model_type: the architecture.
        objective: what to rank by.
        max_memory_bytes: leaves out what takes more, and what does not tell.
    """
    memory = objective is Objective.MEMORY or max_memory_bytes is not None
    rows = timings(reader, model_type=model_type, memory=memory)
    command = f"muster measure {model_type} --batch 1"
    if not rows:
        return _refused(model_type, objective, (), f"nothing was measured of {model_type}", command)
    verdicts = verified(reader, model_type)
    left_out = [LeftOut(row, reason) for row in rows if (reason := _never(row))]
    fit = [row for row in rows if not _never(row)]
    if not fit:
        return _refused(model_type, objective, left_out, "no row says anything about speed", command)
    chosen = _comparable(fit, objective)
    left_out += [LeftOut(row, "another size of inputs, model or version") for row in fit if row not in chosen]
    candidates: list[Candidate] = []
    for row in chosen:
        verdict = verdicts.get((row.target, row.dtype), Verified(Verdict.UNKNOWN))
        reason = _unfit(row, objective, verdict, max_memory_bytes)
        if reason:
            left_out.append(LeftOut(row, reason))
        else:
            candidates.append(_candidate(row, objective, verdict))
    ranked = _ranked(candidates, objective)
    if len(ranked) < 2:
        what = "only one way to run it is" if ranked else "none is"
        return _refused(model_type, objective, left_out, f"{what} measured well enough to rank by {objective}", command)
    tied = 1 + sum(_overlap(ranked[0], other) for other in ranked[1:])
    doubts = tuple(_doubts(ranked[: max(2, tied)], tied))
    return Recommendation(
        model_type=model_type,
        objective=objective,
        unit=UNITS[objective],
        ranked=ranked,
        left_out=tuple(left_out),
        refusal="",
        hint="",
        tied=tied,
        confidence="low" if doubts else "high",
        doubts=doubts,
    )


def measured_types(reader: Reader) -> list[str]:
    """The architectures of which anything was measured."""
    return [row["model_type"] for row in reader.rows("SELECT DISTINCT model_type FROM timed ORDER BY model_type")]


def _never(row: TimedRow) -> str:
    """Why this row says nothing about speed, whatever else there is."""
    if row.scale is Scale.TINY:
        return "tiny: its latency is that of the runtime"
    if row.device_kind is not DeviceKind.HARDWARE:
        return f"{row.device_name} is software that imitates a device"
    return ""


def _comparable(rows: Sequence[TimedRow], objective: Objective) -> list[TimedRow]:
    """The largest group of rows that ran the same model with the same inputs; for throughput, of any batch."""
    groups: dict[object, list[TimedRow]] = defaultdict(list)
    for row in rows:
        each = None if row.tokens is None or not row.batch else row.tokens / row.batch
        sizes = (row.model_class, row.scale, row.checkpoint, row.seed, each)
        groups[sizes if objective is Objective.THROUGHPUT else (row.recipe_hash, row.checkpoint)].append(row)
    return max(groups.values(), key=lambda group: (len({_way(row) for row in group}), group[-1].started_at))


def _way(row: TimedRow) -> tuple[object, ...]:
    """What a user can choose."""
    return row.target, row.dtype, row.attention, row.hostname, row.device_name, row.threads


def _unfit(row: TimedRow, objective: Objective, verdict: Verified, most: int | None) -> str:
    """Why a comparable row does not rank."""
    if verdict.verdict is Verdict.WRONG:
        return f"its numbers are wrong in run {verdict.run_id}: {verdict.message}"
    if most is not None and row.memory_bytes is None:
        return "its memory could not be told: measure it again"
    if most is not None and row.memory_bytes is not None and row.memory_bytes > most:
        return f"it takes {row.memory_bytes / 2**20:.0f} MiB"
    if objective is Objective.MEMORY:
        return "" if row.memory_bytes is not None else "its memory could not be told: measure it again"
    if objective is Objective.ENERGY:
        return "" if row.energy_mj is not None else f"no energy was read: {row.energy_method}"
    if row.thin:
        return row.thin
    if objective is Objective.THROUGHPUT and not row.batch:
        return "its rows cannot be told apart"
    return ""


def _candidate(row: TimedRow, objective: Objective, verdict: Verified) -> Candidate:
    value, low, high = _values(row, objective)
    return Candidate(row, value, low, high, 1.0, verdict)


def _values(row: TimedRow, objective: Objective) -> tuple[float, float, float]:
    """Value and interval in the objective's unit."""
    low, high = row.low_ms or row.median_ms, row.high_ms or row.median_ms
    match objective:
        case Objective.LATENCY:
            return row.median_ms, low, high
        case Objective.THROUGHPUT:
            rows = 1000 * (row.batch or 0)
            return rows / row.median_ms, rows / high, rows / low
        case Objective.MEMORY:
            single = (row.memory_bytes or 0) / 2**20
        case Objective.ENERGY:
            single = (row.energy_mj or 0.0) / (row.batch or 1)
    return single, single, single


def _ranked(candidates: Iterable[Candidate], objective: Objective) -> tuple[Candidate, ...]:
    """The best row of each way, the best way first."""
    largest = objective is Objective.THROUGHPUT
    ordered = sorted(candidates, key=lambda one: one.value, reverse=largest)
    best: dict[tuple[object, ...], Candidate] = {}
    for one in ordered:
        best.setdefault(_way(one.row), one)
    first = ordered[0].value if ordered else 0.0
    if not first:
        return tuple(best.values())
    return tuple(replace(one, times=first / one.value if largest else one.value / first) for one in best.values())


def _overlap(first: Candidate, other: Candidate) -> bool:
    return first.low <= other.high and other.low <= first.high


def _doubts(leading: Sequence[Candidate], tied: int) -> Iterable[str]:
    """What of the candidates that the choice is between makes it uncertain."""
    if tied > 1:
        yield f"the first {tied} cannot be told apart"
    for one in leading:
        name = f"{one.row.target} {one.row.dtype}"
        yield from (f"{name}: {flag}" for flag in one.row.flags)
        if one.row.repeats < LEAST_PASSES:
            yield f"{name}: {one.row.repeats} passes only"
        if one.verdict.verdict is Verdict.UNKNOWN:
            yield f"{name}: nobody checked its numbers"


def _refused(
    model_type: str, objective: Objective, left_out: Iterable[LeftOut], refusal: str, hint: str
) -> Recommendation:
    return Recommendation(
        model_type=model_type,
        objective=objective,
        unit=UNITS[objective],
        ranked=(),
        left_out=tuple(left_out),
        refusal=refusal,
        hint=hint,
        tied=0,
        confidence="",
        doubts=(),
    )
