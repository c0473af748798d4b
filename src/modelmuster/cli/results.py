"""`muster results`: what came of every planned check, as a table or as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.store import Reader
    from modelmuster.views.failures import FailureGroup
    from modelmuster.views.narrowing import Narrowing
    from modelmuster.views.operators import MissingOperator
    from modelmuster.views.results import ResultRow

_SHOWN = 200
"""Rows of a table unless `--limit` says otherwise."""


def results(
    names: reading.Names = None,
    *,
    run: reading.OfRun = "latest",
    outcome: reading.Outcomes = None,
    check: reading.Checks = None,
    target: reading.Targets = None,
    family: reading.Families = None,
    failures: Annotated[bool, typer.Option("--failures", help="Findings with the same cause together.")] = False,
    operators: Annotated[
        bool, typer.Option("--operators", help="Operators that runtimes and exporters named as missing.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", help=f"At most so many; 0 for all. Default: {_SHOWN}, with --json all.", min=0),
    ] = None,
    json: reading.AsJson = False,
) -> None:
    """Show what came of every planned check of a run, with the command that repeats it.

    Examples: `muster results --outcome fail --outcome error`, `muster results 'qwen*' --json`,
    `muster results --failures`, `muster results --operators`.
    """
    from modelmuster.cli.console import write_json
    from modelmuster.views import failures as failure_views
    from modelmuster.views import operators as operator_views
    from modelmuster.views import results as result_views
    from modelmuster.views.narrowing import narrow

    at_most = (None if json else _SHOWN) if limit is None else limit or None
    with reading.stored() as reader:
        chosen = narrow(
            reader,
            run=run,
            names=names or (),
            families=family or (),
            targets=target or (),
            checks=check or (),
            outcomes=outcome or (),
        )
        if failures:
            groups = failure_views.failures(reader, chosen)
            if json:
                write_json(groups[:at_most])
            else:
                _show_failures(groups, at_most, chosen)
            return
        if operators:
            missing = operator_views.missing_operators(reader, chosen)
            if json:
                write_json(missing[:at_most])
            else:
                _show_operators(missing[:at_most], chosen)
            return
        rows = result_views.rows(reader, chosen, limit=at_most)
        if json:
            write_json(rows)
        else:
            _show(reader, chosen, rows)


def write_results(run_id: str) -> None:
    """All results of a run as one JSON array on standard output."""
    results(run=run_id, json=True)


def _show(reader: Reader, chosen: Narrowing, rows: list[ResultRow]) -> None:
    from rich.table import Table

    from modelmuster.cli.console import err
    from modelmuster.views import results as result_views
    from modelmuster.views.summary import summary

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("outcome", "architecture", "class", "target", "check", "stage", "ms"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "ms" else "left")
    table.add_column("message", no_wrap=True)
    for row in rows:
        style = reading.paint(row.outcome)
        modifiers = (" expected" if row.expected is not None else "") + (" flaky" if row.flaky else "")
        table.add_row(
            reading.safe(f" {row.word}{modifiers} ", style),
            reading.safe(row.model_type),
            reading.safe(row.model_class),
            reading.safe(_target(row)),
            reading.safe(row.check),
            row.stage or "",
            "" if row.duration_ms is None else f"{row.duration_ms:.0f}",
            reading.safe(row.message),
        )
    if rows:
        reading.table_console().print(table)
    total = result_views.count(reader, chosen)
    shown = (
        f"{len(rows)} of {total} results that match; --limit 0 shows all" if len(rows) < total else f"{total} results"
    )
    err().print(reading.safe(f"run {chosen.run.run_id}: {shown}"))
    err().print(reading.safe(f"whole run: {summary(reader, chosen.run.run_id).total}"))


def _show_failures(groups: list[FailureGroup], limit: int | None, chosen: Narrowing) -> None:
    from modelmuster.cli.console import err, out

    for group in groups[:limit]:
        places = f"{group.cells} cells, {len(group.architectures)} architectures on {', '.join(group.targets)}"
        expected = f", {group.expected} of {group.results} expected" if group.expected else ""
        head = reading.safe(f" {group.outcome.letter} {group.outcome} ", reading.paint(group.outcome))
        out().print(head, reading.safe(f"{places}{expected}: {group.error_type or ', '.join(group.checks)}"))
        out().print(reading.safe(f"    {group.message}"), soft_wrap=True)
        out().print(reading.safe(f"    {', '.join(group.architectures)}"), soft_wrap=True)
        out().print(reading.safe(f"    {group.reproduce}"), soft_wrap=True)
    left = f"; {len(groups) - limit} more with --limit 0" if limit is not None and len(groups) > limit else ""
    err().print(reading.safe(f"run {chosen.run.run_id}: {len(groups)} causes{left}"), soft_wrap=True)


def _show_operators(missing: list[MissingOperator], chosen: Narrowing) -> None:
    from modelmuster.cli.console import err, out

    for entry in missing:
        count = f"{len(entry.architectures)} {'architecture' if len(entry.architectures) == 1 else 'architectures'}"
        out().print(reading.safe(f"{entry.operator} on {entry.target}: {count}"), soft_wrap=True)
        out().print(reading.safe(f"    {', '.join(entry.architectures)}"), soft_wrap=True)
        out().print(reading.safe(f"    {entry.reproduce}"), soft_wrap=True)
    err().print(reading.safe(f"run {chosen.run.run_id}: {len(missing)} operators named as missing"), soft_wrap=True)


def _target(row: ResultRow) -> str:
    parts = [row.target]
    if row.dtype != "float32":
        parts.append(row.dtype)
    if row.scale != "tiny":
        parts.append(row.scale)
    return f"{' '.join(parts)} {row.inference_label}"
