"""What a run says about one model, for its model card: measured, with provenance; estimated figures stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from modelmuster import dependencies
from modelmuster.records import FINDINGS, DeviceKind, Inference, Scale
from modelmuster.report.markdown import text
from modelmuster.views.rates import Tally, percent, tally

if TYPE_CHECKING:
    from modelmuster.estimate.requirements import Requirements
    from modelmuster.history.timings import TimedRow
    from modelmuster.records import Environment
    from modelmuster.views.results import ResultRow

FORMAT = 1
"""Raised when a reader of the old format would be misled."""

SCALES = {
    Scale.TINY: "shrunk, with random weights: correctness of the code, not quality, and no speed",
    Scale.DEFAULT: "the config class's defaults, with random weights",
    Scale.CHECKPOINT: "the weights of the checkpoint",
}

TIMED = (
    "median_ms",
    "low_ms",
    "high_ms",
    "confidence",
    "p90_ms",
    "repeats",
    "warmup",
    "covers",
    "batch",
    "tokens",
    "threads",
    "throughput",
    "memory_bytes",
    "memory_method",
    "energy_mj",
    "energy_method",
    "flags",
    "reproduce",
)
"""What a card in YAML tells of a measurement."""


@dataclass(frozen=True, slots=True)
class Column:
    """The model on one target, in one dtype and scale."""

    model_class: str
    target: str
    dtype: str
    scale: Scale
    checkpoint: str | None
    tally: Tally
    first: ResultRow
    """The row that tells where it ran: one that a device answered, where there is one."""
    findings: tuple[ResultRow, ...]
    measured: tuple[TimedRow, ...]
    """On real hardware only, and never of a tiny model."""


@dataclass(frozen=True, slots=True)
class Card:
    """One model in one run."""

    model_type: str
    run_id: str
    created_at: str
    environment: Environment | None
    columns: tuple[Column, ...]
    estimate: Requirements | None
    """Computed from shapes, never measured."""
    no_estimate: str
    """Why there is none."""


def card(
    rows: Sequence[ResultRow],
    *,
    created_at: str,
    environment: Environment | None,
    timed: Sequence[TimedRow] = (),
    estimate: Requirements | None = None,
    no_estimate: str = "",
) -> Card:
    """The card of the model that these rows are about, in the order of the plan.

    Args:
        rows: every result of one architecture in one run; at least one.
        created_at: of the run.
        environment: of the run.
        timed: every measurement of the architecture in the run.
        estimate: what the model would need.
        no_estimate: why that is not known.
    """
    columns = tuple(_column(list(found), timed) for _, found in groupby(rows, key=lambda row: row.cell_id))
    return Card(rows[0].model_type, rows[0].run_id, created_at, environment, columns, estimate, no_estimate)


def _column(rows: list[ResultRow], timed: Sequence[TimedRow]) -> Column:
    first = next((row for row in rows if row.device_name is not None), rows[0])
    return Column(
        model_class=first.model_class,
        target=first.target,
        dtype=first.dtype,
        scale=first.scale,
        checkpoint=first.checkpoint,
        tally=tally(
            {
                "outcome": row.outcome,
                "mock": row.inference is Inference.MOCK,
                "expected": row.expected is not None,
                "flaky": row.flaky,
                "results": 1,
            }
            for row in rows
        ),
        first=first,
        findings=tuple(row for row in rows if row.outcome in FINDINGS),
        measured=tuple(
            row
            for row in timed
            if row.cell_id == first.cell_id and row.device_kind is DeviceKind.HARDWARE and row.scale is not Scale.TINY
        ),
    )


def as_yaml(made: Card) -> bytes:
    """The card as data.

    Raises:
        MissingDependency: pyyaml is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise dependencies.missing("pyyaml", purpose="the model card in YAML") from error
    plain = msgspec.to_builtins(_plain(made))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)).encode()


def _plain(made: Card) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": made.model_type,
        "run": made.run_id,
        "run_at": made.created_at,
        "environment": made.environment,
        "measured": [_plain_column(column) for column in made.columns],
        "estimated": {
            "how": "computed from shapes on the meta device; nothing of this was measured",
            "requirements": made.estimate,
            **({"none_because": made.no_estimate} if made.estimate is None else {}),
        },
    }


def _plain_column(column: Column) -> dict[str, Any]:
    first = column.first
    return {
        "class": column.model_class,
        "target": column.target,
        "dtype": column.dtype,
        "scale": column.scale,
        "scale_means": SCALES[column.scale],
        "checkpoint": column.checkpoint,
        "provenance": {
            "inference": first.inference_label,
            "weights": first.weights,
            "device": first.device_name,
            "device_kind": first.device_kind,
            "precision": first.precision,
            "route": first.route,
            "ran_elsewhere": first.fallbacks,
            "recipe": first.recipe_hash,
            "started_at": first.started_at,
        },
        "checks": {
            "outcomes": column.tally.counts,
            "decided": column.tally.decided,
            "planned": column.tally.planned,
            "passed": column.tally.passed,
            "pass_rate": column.tally.pass_rate,
            "mock_not_counted": column.tally.mock,
        },
        "findings": [
            {
                "check": row.check,
                "outcome": row.outcome,
                "message": row.message,
                "expected": row.expected,
                "reproduce": row.reproduce,
            }
            for row in column.findings
        ],
        "performance": [_plain_timing(row) for row in column.measured],
    }


def _plain_timing(row: TimedRow) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in TIMED}, "too_little_evidence": row.thin or None}


def as_markdown(made: Card) -> bytes:
    """Sections to paste into a model's README."""
    return ("\n".join([*_compatibility(made), *_performance(made), *_estimate(made), *_machine(made)]) + "\n").encode()


def _compatibility(made: Card) -> list[str]:
    lines = [
        f"## Where {text(made.model_type)} works",
        "",
        f"Measured by modelmuster, run {text(made.run_id)} of {text(made.created_at)}.",
        "",
        "| class | target | dtype | scale | what ran | device, as the runtime named it | passed of decided | planned |",
        "| --- | --- | --- | --- | --- | --- | --: | --: |",
    ]
    for column in made.columns:
        first, counted = column.first, column.tally
        share = f"{counted.passed} of {counted.decided}" if counted.decided else "nothing decided"
        rate = f" ({percent(counted.pass_rate)})" if counted.pass_rate is not None else ""
        named = (column.model_class, column.target, column.dtype, column.scale.value, first.inference_label)
        cells = [*map(text, named), text(first.device_name or "none"), share + rate, str(counted.planned)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"- {scale.value}: {SCALES[scale]}" for scale in dict.fromkeys(c.scale for c in made.columns)), ""]
    for row in (row for column in made.columns for row in column.findings):
        known = f" Known: {text(row.expected)}." if row.expected else ""
        lines.append(
            f"- **{row.outcome.letter} {row.outcome.value}** {text(row.check)} on {text(row.target)}: "
            f"{text(row.message)}.{known} Reproduce: `{row.reproduce.replace('`', '')}`"
        )
    return lines


def _performance(made: Card) -> list[str]:
    found = [(column, row) for column in made.columns for row in column.measured]
    lines = ["", "### Performance, measured", ""]
    if not found:
        return [*lines, "None: this run holds no measurement at a scale that says something about speed."]
    lines += ["| target | dtype | scale | batch | median | its interval | of | memory | doubts |"]
    lines += ["| --- | --- | --- | --: | --: | --- | --- | --: | --- |"]
    for column, row in found:
        interval = "unknown" if row.low_ms is None else f"{row.low_ms:.3g} to {row.high_ms:.3g} ms"
        memory = "unknown" if row.memory_bytes is None else f"{row.memory_bytes:,}"
        doubts = "; ".join(filter(None, (row.thin, *row.flags))) or "none"
        named = (column.target, column.dtype, column.scale.value, str(row.batch or "unknown"))
        told = (f"{row.median_ms:.3g} ms", interval, f"{row.repeats} passes, {row.covers}", memory, doubts)
        lines.append(f"| {' | '.join(map(text, (*named, *told)))} |")
    return lines


def _estimate(made: Card) -> list[str]:
    lines = ["", "### Requirements, estimated", ""]
    need = made.estimate
    if need is None:
        return [*lines, f"None: {text(made.no_estimate)}."]
    rows: list[tuple[str, float | None]] = [
        *((f"weights, {dtype}", size) for dtype, size in need.weight_bytes.items()),
        (f"cache, {need.batch} × {need.context} tokens in {need.dtype}", need.cache_bytes),
        (f"activations, {need.batch} × {need.context} tokens in {need.dtype}", need.activation_bytes),
    ]
    return [
        *lines,
        f"Computed from shapes for {text(need.model_class)}, sizes from {text(need.source)}.",
        f"**Nothing of this was measured.** {need.parameters:,} parameters.",
        "",
        "| | bytes |",
        "| --- | --: |",
        *(f"| {text(name)} | {'unknown' if size is None else f'{size:,.0f}'} |" for name, size in rows),
        "",
        *(f"- {text(note)}" for note in need.notes),
    ]


def _machine(made: Card) -> list[str]:
    machine = made.environment
    if machine is None:
        return ["", "The run does not tell its machine."]
    versions = ", ".join(f"{package.name} {package.version}" for package in machine.packages if package.version)
    return [
        "",
        f"Machine: {text(machine.cpu)}, {machine.cores} cores, Python {text(machine.python)}, {text(versions)}.",
    ]
