"""`muster measure`: how fast, and how much memory and energy, one cell at a time on an idle machine."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading, selecting
from modelmuster.cli import run as running

if TYPE_CHECKING:
    from modelmuster.history.timings import TimedRow
    from modelmuster.records import Plan

Batches = Annotated[list[int] | None, typer.Option("--batch", help="Rows; repeatable, for a sweep.", min=1)]
Sequences = Annotated[
    list[int] | None, typer.Option("--sequence", help="Tokens of each row, of plain text; repeatable.", min=1)
]
Attentions = Annotated[
    list[str] | None,
    typer.Option("--attention", help="eager, sdpa, or whatever else the model offers; repeatable."),
]


def measure(
    terms: selecting.Terms = None,
    *,
    family: selecting.Families = None,
    target: selecting.Targets = None,
    class_name: selecting.ClassNames = None,
    dtype: selecting.Dtypes = None,
    scale: Annotated[
        str,
        typer.Option("--scale", help="default (its own size) or tiny (says nothing of speed).", metavar="default|tiny"),
    ] = "default",
    seed: selecting.Seed = 0,
    checkpoint: selecting.Checkpoints = None,
    trust_remote_code: selecting.TrustRemoteCode = False,
    limit: selecting.Limit = None,
    batch: Batches = None,
    sequence: Sequences = None,
    attention: Attentions = None,
    seconds: Annotated[float, typer.Option("--seconds", help="Most time to repeat each cell.", min=0.1)] = 10.0,
    precision: Annotated[
        float, typer.Option("--precision", help="Stop once the median is known to ± this share.", min=0.0001)
    ] = 0.02,
    confidence: Annotated[float, typer.Option("--confidence", help="Of that interval.", min=0.5, max=0.9999)] = 0.95,
    threads: Annotated[int | None, typer.Option("--threads", help="Default: the usable cores.", min=1)] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Wall-clock seconds a cell may take.", min=1)] = 900.0,
    memory: Annotated[
        float | None, typer.Option("--memory", help="GiB a cell may take. Default: what is available.", min=0.1)
    ] = None,
    noisy: Annotated[
        bool, typer.Option("--noisy", help="Measure on a machine that is not idle; every row is flagged.")
    ] = False,
    json: reading.AsJson = False,
    no_progress: running.Plain = False,
) -> None:
    """Measure latency, throughput, memory and energy: one cell at a time, repeated until the median is known well.

    The interval of the median is that of order statistics, which assumes no distribution. Nothing is verified here:
    that is what `muster run` does.

    Examples: muster measure bert vit · muster measure llama -t cpu --dtype bfloat16 --batch 1 --batch 8 --sequence 128
    """
    import psutil

    from modelmuster.runs import quiet
    from modelmuster.runs.engines import engine
    from modelmuster.runs.environment import usable_cores
    from modelmuster.runs.plan import measured
    from modelmuster.timing import Measuring

    choice = selecting.Choice(
        terms=terms,
        families=family,
        targets=target,
        class_names=class_name,
        dtypes=dtype,
        scale="tiny" if checkpoint and scale == "default" else scale,
        seed=seed,
        checkpoints=checkpoint,
        trust_remote_code=trust_remote_code,
        limit=limit,
    )
    threads = threads or usable_cores()
    plan = measured(
        selecting.make_plan(choice, shlex.join(["muster", *sys.argv[1:]])),
        Measuring(seconds=seconds, precision=precision, confidence=confidence, threads=threads),
        batches=batch or (None,),
        sequences=sequence or (None,),
        attentions=attention or (None,),
    )
    _refuse_mock(plan)
    if not noisy:
        quiet.insist({cell.target for cell in plan.cells})
    running.fetch_checkpoints(plan)
    available = psutil.virtual_memory().available
    summary = running.carry_out(
        plan,
        engine("local", jobs=1, per_device=1, address=None, allow_mixed=False),
        timeout_s=timeout,
        memory_bytes=available if memory is None else int(memory * 2**30),
        threads=threads,
        repeat_failures=False,
        plain=no_progress,
    )
    _show(plan, as_json=json)
    running.say(plan, summary)
    raise typer.Exit(running.exit_code(summary))


def _refuse_mock(plan: Plan) -> None:
    from modelmuster import plugins
    from modelmuster.errors import UsageError
    from modelmuster.records import Inference

    for name in sorted({cell.target for cell in plan.cells}):
        if plugins.targets().get(name).inference is Inference.MOCK:
            raise UsageError(
                f"{name} runs no model, so there is nothing to measure", hint="choose a target: muster doctor"
            )


def _show(plan: Plan, *, as_json: bool) -> None:
    from modelmuster.cli.console import write_json
    from modelmuster.history.timings import timings

    with reading.stored() as reader:
        found = timings(reader, run_id=plan.run_id)
    if as_json:
        write_json(found)
    elif found:
        show_rows(found)


def show_rows(found: list[TimedRow]) -> None:
    """Measurements as a table, with the reasons why some may be noise below it."""
    from rich.table import Table

    from modelmuster.cli.console import out

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("architecture", "target", "dtype", "scale", "batch", "tokens", "attention"):
        table.add_column(heading, no_wrap=True)
    for heading in ("median ms", "±", "p10", "p90", "p99", "first ms", "samples/s", "memory MiB", "deviation"):
        table.add_column(heading, no_wrap=True, justify="right")
    for row in found:
        table.add_row(
            reading.safe(row.model_type),
            reading.safe(row.target),
            row.dtype,
            row.scale.value,
            _number(row.batch, "d"),
            _number(row.tokens, "d"),
            row.attention or "",
            f"{row.median_ms:.3g}",
            "" if row.half_width is None else f"{row.half_width:.1%}",
            *(_number(value, ".3g") for value in (row.p10_ms, row.p90_ms, row.p99_ms, row.first_ms, row.samples_per_s)),
            _number(None if row.memory_bytes is None else row.memory_bytes / 2**20, ".0f"),
            _number(row.deviation, ".1e"),
        )
    reading.table_console().print(table)
    for row in found:
        for flag in row.flags:
            said = f"noise: {row.model_type} {row.target} {row.dtype}: {flag}"
            out().print(reading.safe(said), soft_wrap=True)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
