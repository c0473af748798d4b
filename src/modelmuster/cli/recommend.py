"""`muster recommend`: which device and dtype to take. `muster advise`: what limits a model, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.history.advice import Advice
    from modelmuster.history.recommend import Candidate, Recommendation
    from modelmuster.history.timings import TimedRow

_NOTHING = 5
"""The exit code where there is no recommendation."""


def recommend(
    name: Annotated[str | None, typer.Argument(metavar="TYPE", help="An architecture.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every architecture of which something was measured.")] = False,
    objective: Annotated[
        str, typer.Option("--objective", help="What to rank by.", metavar="latency|throughput|memory|energy")
    ] = "latency",
    max_memory: Annotated[
        float | None, typer.Option("--max-memory", help="GiB that it may take at most.", min=0.001)
    ] = None,
    json: reading.AsJson = False,
) -> None:
    """Rank devices and dtypes by what `muster measure` measured of that very model, or say why that cannot be done.

    Exit 5 where nothing can be recommended.

    Examples: muster recommend bert · muster recommend --all --objective memory --max-memory 2
    """
    from modelmuster.cli.console import write_json
    from modelmuster.errors import UsageError
    from modelmuster.history import recommend as recommending

    if (name is None) is not every:
        raise UsageError("one architecture or all of them", hint="type: muster recommend bert, or --all")
    if objective not in list(recommending.Objective):
        known = ", ".join(recommending.Objective)
        raise UsageError(f"unknown objective {objective!r}", hint=f"objectives are: {known}")
    wanted, most = recommending.Objective(objective), None if max_memory is None else int(max_memory * 2**30)
    with reading.stored() as reader:
        names = recommending.measured_types(reader) if every else [_known(name or "")]
        found = [recommending.recommend(reader, one, wanted, max_memory_bytes=most) for one in names]
    if json:
        write_json(found if every else found[0])
    for one in () if json else found:
        _show(one, brief=every)
    if not any(one.ranked for one in found):
        if every and not found and not json:
            _note("nothing was measured yet; type: muster measure TYPE")
        raise typer.Exit(_NOTHING)


def advise(
    name: Annotated[str, typer.Argument(metavar="TYPE", help="An architecture.")],
    *,
    json: reading.AsJson = False,
) -> None:
    """Show what limits an architecture where it ran, and what would help, each with the row behind it.

    Limits come from results of `muster run`, gains from `muster measure`: what was not run is not advised.

    Examples: muster advise deberta · muster advise bert --json
    """
    from modelmuster.cli.console import write_json
    from modelmuster.history.advice import advise as advice

    with reading.stored() as reader:
        found = advice(reader, _known(name))
    if json:
        write_json(found)
        return
    _show_advice([one for one in found if not one.helps], "what limits it")
    _show_advice([one for one in found if one.helps], "what would help")
    if not found:
        _note(f"nothing limits {name} in what ran so far; to know more: muster run {name}; muster measure {name}")


def _note(text: str) -> None:
    """A note beside the data."""
    from modelmuster.cli.console import err

    err().print(reading.safe(text), soft_wrap=True)


def _known(name: str) -> str:
    """The name, if there is such an architecture.

    Raises:
        UnknownName: there is none.
    """
    from modelmuster import catalog

    return catalog.load().get(name).model_type


def _show(found: Recommendation, *, brief: bool) -> None:
    from modelmuster.cli.console import out

    def say(text: str) -> None:
        out().print(reading.safe(text), soft_wrap=True)

    if found.refusal:
        say(f"{found.model_type}: no recommendation: {found.refusal}; type: {found.hint}")
    else:
        choice = " or ".join(_named(one) for one in found.ranked[: found.tied])
        value = _value(found.ranked[0], found.unit)
        say(f"{found.model_type}, by {found.objective}: {choice}: {value}; confidence {found.confidence}")
        if not brief:
            _table(found)
            for doubt in found.doubts:
                say(f"doubt: {doubt}")
    if not brief:
        for left in found.left_out:
            say(f"not ranked: {_label(left.row)}: {left.reason} (run {left.row.run_id})")


def _table(found: Recommendation) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "target", "dtype", "attention", "batch", "threads", found.unit, "interval", "×", "MiB"):
        table.add_column(heading, no_wrap=True)
    for heading in ("deviation", "numbers", "passes", "device", "run"):
        table.add_column(heading, overflow="fold")
    for place, one in enumerate(found.ranked, start=1):
        row = one.row
        table.add_row(
            str(place),
            reading.safe(row.target),
            row.dtype,
            row.attention or "",
            str(row.batch or ""),
            str(row.threads),
            f"{one.value:.3g}",
            "" if one.low == one.high else f"{one.low:.3g}–{one.high:.3g}",
            f"{one.times:.2f}",
            "" if row.memory_bytes is None else f"{row.memory_bytes / 2**20:.0f}",
            "" if row.deviation is None else f"{row.deviation:.0e}",
            one.verdict.verdict.value,
            str(row.repeats),
            reading.safe(row.device_name),
            reading.safe(row.run_id),
        )
    reading.table_console().print(table)


def _show_advice(found: list[Advice], heading: str) -> None:
    from modelmuster.cli.console import out

    if found:
        out().print(reading.safe(f"{heading}:", "bold"))
    for one in found:
        out().print(reading.safe(f"  {one.topic}: {one.text}"), soft_wrap=True)
        out().print(reading.safe(f"    run {one.run_id}: {one.reproduce}"), soft_wrap=True)


def _named(one: Candidate) -> str:
    attention = f" with {one.row.attention} attention" if one.row.attention else ""
    return f"{one.row.target} {one.row.dtype}{attention} on {one.row.device_name}"


def _label(row: TimedRow) -> str:
    return f"{row.target} {row.dtype} {row.scale} batch {row.batch or '?'}"


def _value(one: Candidate, unit: str) -> str:
    interval = "" if one.low == one.high else f" ({one.low:.3g}–{one.high:.3g})"
    return f"{one.value:.3g} {unit}{interval}"
