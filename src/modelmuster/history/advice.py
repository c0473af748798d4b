"""What limits an architecture where it ran, and what would help: each sentence with the row behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from modelmuster.history.operators import named
from modelmuster.history.timings import TimedRow, timings
from modelmuster.records import FINDINGS, Outcome, Scale
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of

LEAST_GAIN = 1.1
"""Times faster or smaller, below which a change is not worth a sentence."""
TRACED = "by tracing"
SIZES = "other_sizes"
"""The check that runs an exported graph at another batch and length."""


class Topic(StrEnum):
    """What a sentence is about."""

    FAILURE = "failure"
    OPERATOR = "missing operator"
    FALLBACK = "fallback"
    PRECISION = "precision"
    ROUTE = "export route"
    SHAPES = "shapes"
    DTYPE = "dtype"
    ATTENTION = "attention"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence and the row that it stands on."""

    topic: Topic
    helps: bool
    """Whether it is something to do; else it is a limit."""
    text: str
    run_id: str
    cell_id: str
    reproduce: str


def advise(reader: Reader, model_type: str) -> list[Advice]:
    """Limits first, then what would help, the greatest gain first; empty where nothing is known."""
    return [*_limits(reader, model_type), *_helps(timings(reader, model_type=model_type))]


def _limits(reader: Reader, model_type: str) -> Iterator[Advice]:
    rows = reader.rows(
        f"""
        SELECT run_id, cell_id, {", ".join(IDENTITY)}, check_name, outcome, stage, message,
            coalesce(error_message, '') AS error_message, precision_seen, route, nodes_total, nodes_on_target,
            fallbacks, fingerprint, device_name
        FROM results WHERE model_type = $model_type AND NOT mock
        QUALIFY row_number() OVER (PARTITION BY cell_id, check_name ORDER BY run_id DESC) = 1
        ORDER BY run_id DESC, cell, place
        """,  # noqa: S608 - constants
        model_type=model_type,
    )
    said: set[tuple[object, ...]] = set()
    for row in rows:
        for topic, text in _limits_of(row):
            if (key := (topic, row["target"], row["dtype"], text)) not in said:
                said.add(key)
                yield _limit(topic, text, row)


def _limits_of(row: dict[str, Any]) -> Iterator[tuple[Topic, str]]:
    """What one result shows of the limits of its cell."""
    where, outcome = f"{row['target']} {row['dtype']}", Outcome(row["outcome"])
    if outcome in FINDINGS or outcome is Outcome.UNSUPPORTED:
        for operator in named(f"{row['message']} {row['error_message']}"):
            yield Topic.OPERATOR, f"{where} lacks {operator}"
        topic = Topic.SHAPES if row["check_name"] == SIZES else Topic.FAILURE
        stage = f" at {row['stage']}" if row["stage"] else ""
        first = row["message"].partition("\n")[0]
        yield topic, f"{where}: {row['check_name']} ends as {outcome}{stage}: {first}"
    if row["device_name"] is None:
        return
    if row["fallbacks"]:
        share = f"{row['nodes_on_target']} of {row['nodes_total']} nodes ran there; " if row["nodes_on_target"] else ""
        yield Topic.FALLBACK, f"{where}: {share}elsewhere ran {', '.join(row['fallbacks'])}"
    seen = (row["precision_seen"] or "").partition("+")[0].partition(" ")[0]
    if seen and seen not in {row["dtype"], "none"} and row["dtype"] != "int8":
        yield Topic.PRECISION, f"{where} was computed in {row['precision_seen']}"
    route = row["route"] or ""
    if TRACED in route:
        yield Topic.ROUTE, f"{where}: only tracing exports it, so the graph holds for inputs like the recipe's: {route}"
    elif " failed: " in route:
        yield Topic.ROUTE, f"{where}: not every exporter can convert it: {route}"


def _limit(topic: Topic, text: str, row: dict[str, Any]) -> Advice:
    again = reproduce(cell_of(row), row["check_name"])
    return Advice(topic, helps=False, text=text, run_id=row["run_id"], cell_id=row["cell_id"], reproduce=again)


def _helps(rows: list[TimedRow]) -> list[Advice]:
    """Pairs of measurements that differ in one thing only, where the difference is more than their intervals."""
    found = []
    for first, second in itertools.permutations([row for row in rows if row.scale is not Scale.TINY], 2):
        topic = _differs_in(first, second)
        if topic is None:
            continue
        gains = [text for text in (_faster(first, second), _smaller(first, second)) if text]
        if gains:
            price = f"; its outputs are {second.deviation:.0e} off" if (second.deviation or 0) > 1e-4 else ""
            noise = f"; measured with noise: {second.flags[0]}" if second.flags else ""
            text = f"{_called(second, topic)} instead of {_called(first, topic)}: {', '.join(gains)}{price}{noise}"
            gain = first.median_ms / second.median_ms
            found.append((gain, _help(topic, text, second)))
    return [advice for _, advice in sorted(found, key=lambda pair: -pair[0])]


def _help(topic: Topic, text: str, row: TimedRow) -> Advice:
    return Advice(topic, helps=True, text=text, run_id=row.run_id, cell_id=row.cell_id, reproduce=row.reproduce)


def _differs_in(first: TimedRow, second: TimedRow) -> Topic | None:
    """The one thing that the rows differ in, if there is just one."""
    same = ("recipe_hash", "checkpoint", "hostname", "threads", "model_class")
    if first.recipe_hash is None or any(getattr(first, name) != getattr(second, name) for name in same):
        return None
    topics = {Topic.DTYPE: "dtype", Topic.ATTENTION: "attention", Topic.RUNTIME: "target"}
    differing = [topic for topic, name in topics.items() if getattr(first, name) != getattr(second, name)]
    return differing[0] if len(differing) == 1 else None


def _called(row: TimedRow, topic: Topic) -> str:
    own = row.attention or "the model's own attention"
    where = f"{row.target}, batch {row.batch}" if row.batch else row.target
    return {
        Topic.DTYPE: f"{row.dtype} on {where}",
        Topic.ATTENTION: f"{own} on {where}, {row.dtype}",
        Topic.RUNTIME: f"{where}, {row.dtype}",
    }[topic]


def _faster(first: TimedRow, second: TimedRow) -> str:
    if first.thin or second.thin or (first.low_ms or 0.0) <= (second.high_ms or 0.0):
        return ""
    gain = first.median_ms / second.median_ms
    return f"{gain:.1f}× as fast ({second.median_ms:.3g} ms, not {first.median_ms:.3g})" if gain > LEAST_GAIN else ""


def _smaller(first: TimedRow, second: TimedRow) -> str:
    if not first.memory_bytes or not second.memory_bytes:
        return ""
    gain = first.memory_bytes / second.memory_bytes
    sizes = f"{second.memory_bytes / 2**20:.0f} MiB, not {first.memory_bytes / 2**20:.0f}"
    return f"{1 / gain:.0%} of the memory ({sizes})" if gain > LEAST_GAIN else ""
