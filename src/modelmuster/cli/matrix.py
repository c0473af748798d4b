"""`muster matrix`: architecture by target, at a glance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from modelmuster.views.matrix import Column, Matrix, MatrixCell, MatrixRow
    from modelmuster.views.rates import Tally

_PICTURE_WIDTH = 110


def matrix(
    names: reading.Names = None,
    *,
    run: reading.OfRun = "latest",
    outcome: reading.Outcomes = None,
    check: reading.Checks = None,
    target: reading.Targets = None,
    family: reading.Families = None,
    every: Annotated[bool, typer.Option("--all", help="Also architectures of which everything passed.")] = False,
    json: reading.AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="A table for a README or a pull request.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="One line per architecture and target.")] = False,
    html: Annotated[bool, typer.Option("--html", help="The page of muster report, which holds the whole run.")] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="A picture of it, for a README, instead of a table.")
    ] = None,
) -> None:
    """Show what works where: families with counts, and each architecture of which not everything passed.

    A mark stands for all checks of an architecture on a target: the worst of them, with how many ended so.
    """
    from modelmuster.cli import matrix_formats
    from modelmuster.cli.console import write_json
    from modelmuster.errors import UsageError
    from modelmuster.views.matrix import matrix as view
    from modelmuster.views.narrowing import narrow

    if sum((json, markdown, csv, html, svg is not None)) > 1:
        raise UsageError("more than one format", hint="choose one of --json, --markdown, --csv, --html, --svg")
    if html:
        if any((names, outcome, check, target, family)):
            raise UsageError("the page holds the whole run", hint="it has filters of its own; leave those out here")
        from modelmuster.cli.report import report

        report(run=run, output=Path("-"))
        return
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
        found = view(reader, chosen)
    if json:
        write_json(matrix_formats.document(found))
    elif markdown:
        sys.stdout.write(matrix_formats.markdown(found, every=every))
    elif csv:
        matrix_formats.write_csv(found, sys.stdout)
    elif svg is not None:
        _draw(found, svg, every=every or bool(names))
    else:
        _show(found, every=every or bool(names))


def _draw(found: Matrix, path: Path, *, every: bool) -> None:
    """The table as a picture that fetches no font from anywhere."""
    import io
    import re

    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console

    from modelmuster.cli.console import err
    from modelmuster.report import files

    console = Console(record=True, file=io.StringIO(), width=_PICTURE_WIDTH, highlight=False, color_system="truecolor")
    console.print(_table(found, every=every))
    console.print(reading.safe(str(found.total)))
    drawn = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    title = f"muster matrix --run {found.run_id}"
    files.write(path, console.export_svg(title=title, code_format=drawn, unique_id="muster").encode())
    err().print(reading.safe(f"wrote {path}: run {found.run_id}"), soft_wrap=True)


def _table(found: Matrix, *, every: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("family, architecture", no_wrap=True)
    for column in found.columns:
        table.add_column(_heading(column), overflow="fold")
    for group in found.families:
        counts = [_counts(tally) for tally in group.tallies]
        table.add_row(reading.safe(f"{group.family} ({len(group.rows)})", "bold"), *counts)
        for row in group.rows:
            if every or not row.quiet:
                table.add_row(reading.safe(f"  {row.model_type}"), *_marks(row))
    table.add_section()
    table.add_row(reading.safe("all", "bold"), *(_counts(column.tally) for column in found.columns))
    return table


def _show(found: Matrix, *, every: bool) -> None:
    from modelmuster.cli.console import err, out
    from modelmuster.records import Outcome

    if found.columns:
        reading.table_console().print(_table(found, every=every))
    out().print(reading.safe(f"run {found.run_id}: {found.total}"), soft_wrap=True)
    for column in found.columns:
        if column.fallbacks:
            named = ", ".join(f"{name} ({count})" for name, count in column.fallbacks.items())
            out().print(reading.safe(f"{column.label}: elsewhere, in so many architectures: {named}"), soft_wrap=True)
    if found.unplanned:
        out().print(reading.safe(f"cannot be planned: {len(found.unplanned)} architectures"), soft_wrap=True)
        for name, reason in found.unplanned.items() if every else ():
            out().print(reading.safe(f"  {name}: {reason}"), soft_wrap=True)
    legend = " · ".join(f"{outcome.letter} {outcome}" for outcome in Outcome)
    err().print(reading.safe(f"{legend}; counts are of results, X 1/2: one of two; F: flaky"), soft_wrap=True)


def _heading(column: Column) -> Text:
    words = [column.label]
    if column.inference is None:
        words.append("nothing ran yet")
    else:
        words.append(column.inference.label)
    if column.device_kind is not None and column.device_kind.value == "software-emulated":
        words.append("software-emulated")
    text = reading.safe(words[0])
    for word in words[1:]:
        text.append("\n").append(word)
    return text


def _counts(tally: Tally) -> Text:
    from modelmuster.views.rates import ordered

    words = [f"{outcome.letter} {count}" for outcome, count in ordered(tally.counts)]
    if tally.mock:
        words.append(f"🔷 {tally.mock}")
    return reading.safe(" · ".join(words), "bold")


def _marks(row: MatrixRow) -> list[Text]:
    return [_mark(cell) if cell else reading.safe("") for cell in row.cells]


def _mark(cell: MatrixCell) -> Text:
    from rich.style import Style

    from modelmuster.cli.matrix_formats import mark

    style = Style(dim=True) if cell.mock or cell.expected else reading.paint(cell.outcome)
    return reading.safe(f" {mark(cell)} ", style)
