"""`muster db`: care of the store, and questions to it in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.store import IngestReport, Reader

app = typer.Typer(
    help="Care of the store, which is made from journals and holds nothing of its own.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def ingest(*, json: reading.AsJson = False) -> None:
    """Read runs that are new or have changed. Commands that show results do so by themselves."""
    from modelmuster import store
    from modelmuster.settings import Home

    _show_report(store.ingest(Home.find()), as_json=json)


@app.command()
def rebuild(*, json: reading.AsJson = False) -> None:
    """Make the store anew from all journals, whatever state the old one is in."""
    from modelmuster import store
    from modelmuster.settings import Home

    _show_report(store.rebuild(Home.find()), as_json=json)


@app.command("import")
def import_(
    sources: Annotated[list[Path], typer.Argument(help="Folders of runs, or another machine's .muster folder.")],
    *,
    unite: Annotated[
        bool, typer.Option("--unite", help="Also make one run of them all, such as of the shards of a plan.")
    ] = False,
    json: reading.AsJson = False,
) -> None:
    """Bring runs of other machines here. Doing it again changes nothing; two runs of one id that differ are refused.

    Examples: muster db import machine-b/.muster · muster db import --unite shard-*/.muster
    """
    import shlex
    import sys

    from modelmuster import store
    from modelmuster.cli.console import err, write_json
    from modelmuster.runs import importing, locking
    from modelmuster.settings import Home

    home = Home.find()
    with locking.held(home, purpose="import"):
        done = importing.import_runs(home, sources)
        united = (
            importing.unite(home, [one.run_id for one in done], shlex.join(["muster", *sys.argv[1:]]))
            if unite
            else None
        )
    store.ingest(home)
    if json:
        write_json({"imported": done, "united": united.run_id if united else None})
        return
    for one in done:
        err().print(
            reading.safe(f"{one.state}: {one.run_id}, {one.records} records, from {one.source}"), soft_wrap=True
        )
    if united is not None:
        err().print(reading.safe(f"united as {united.run_id}; next: muster matrix, muster gate"), soft_wrap=True)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="Such as: SELECT outcome, count(*) FROM results GROUP BY ALL")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON array of objects.")] = False,
) -> None:
    """Ask the store in SQL; nothing can be written.

    `results` has one row per planned check. All tables: `muster db info`.
    """
    from rich.table import Table

    from modelmuster.cli.console import write_json

    with reading.stored() as reader:
        answer = reader.query(sql)
    if json:
        write_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in answer.columns:
        table.add_column(reading.safe(name), overflow="fold")
    for row in answer.rows:
        table.add_row(*(reading.safe("" if value is None else str(value)) for value in row))
    reading.table_console().print(table)


@app.command()
def info(*, json: reading.AsJson = False) -> None:
    """Show where the store is, its runs and its tables."""
    from modelmuster.cli.console import out, write_json
    from modelmuster.views.runs import runs

    with reading.stored() as reader:
        facts = _facts(reader)
        listed = runs(reader)
    if json:
        write_json({**facts, "runs": listed})
        return
    for name, value in facts.items():
        if name != "tables":
            out().print(reading.safe(f"{name}: {value}"), soft_wrap=True)
    for run in listed:
        out().print(reading.safe(f"{run.run_id}  {', '.join(run.targets)}  {run.command}"), soft_wrap=True)
        out().print(
            reading.safe(f"    {run.cells_reached} of {run.cells} cells done; results: {run.tally}"), soft_wrap=True
        )
        if run.damages:
            out().print(
                reading.safe(f"    {run.damages} things in its folder cannot be used: see damages"), soft_wrap=True
            )
    for table, columns in facts["tables"].items():
        out().print(reading.safe(f"{table}: {', '.join(columns)}"), soft_wrap=True)


def _facts(reader: Reader) -> dict[str, Any]:
    columns = reader.rows(
        "SELECT table_name, list(column_name ORDER BY column_index) AS columns FROM duckdb_columns() "
        "WHERE database_name = 'snapshot' AND NOT internal GROUP BY table_name ORDER BY table_name"
    )
    return {
        "snapshot": str(reader.snapshot),
        "bytes": reader.snapshot.stat().st_size,
        "schema_version": reader.version,
        "written_at": reader.published_at.isoformat(),
        "tables": {row["table_name"]: row["columns"] for row in columns},
    }


def _show_report(report: IngestReport, *, as_json: bool) -> None:
    from modelmuster.cli.console import err, out, write_json

    for damage in report.damages:
        err().print(reading.safe(f"cannot be used: {damage}"), soft_wrap=True)
    if as_json:
        write_json(report)
        return
    out().print(
        f"{len(report.read)} runs read, {report.unchanged} unchanged, {len(report.removed)} removed; "
        f"{report.rows} rows in {report.seconds:.2f} s"
    )
