"""`muster expect`: the known upstream failures that do not make a run exit with 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading, selecting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelmuster.expectations.writing import Change, Proposal
    from modelmuster.records import CellRecord
    from modelmuster.runs.folders import RunFolder

app = typer.Typer(
    help=(
        "Keep the list of known upstream failures: list, check, update, remove. Each is an [[expected]] table in a "
        "TOML file of the folder expectations/, with architecture, check, target, outcome, transformers, reason, link."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Examples: muster expect update latest longformer --check padding --reason '…'; muster expect check latest",
)

OfRun = Annotated[str, typer.Argument(metavar="[RUN]", help="Its id, or latest.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the change, write nothing.")]


@app.command("list")
def list_(*, expectations: selecting.ExpectationsFolder = None, json: reading.AsJson = False) -> None:
    """List every entry, with whether it holds for the installed transformers."""
    import msgspec
    from rich.table import Table

    from modelmuster.cli.console import err, write_json
    from modelmuster.expectations import book

    entries = book.load(expectations).entries
    holding = set(book.in_force(expectations).entries)
    if json:
        write_json(
            [
                msgspec.to_builtins(entry.expectation) | {"file": str(entry.path), "in_force": entry in holding}
                for entry in entries
            ]
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("architecture", "class", "target", "check", "outcome", "transformers", "reason"):
        table.add_column(heading, no_wrap=heading != "reason")
    for entry in entries:
        known = entry.expectation
        cells = (known.architecture, known.class_ or "", known.target, known.check, known.outcome.value)
        table.add_row(*map(reading.safe, (*cells, known.transformers, known.shown)))
    if entries:
        reading.table_console().print(table)
    err().print(f"{len(entries)} expected failures, {len(holding)} of them hold here", markup=False)


@app.command()
def check(run: OfRun = "latest", *, expectations: selecting.ExpectationsFolder = None) -> None:
    """Lay the entries against a run: exit 1 when one has to go because what it expects no longer fails."""
    from modelmuster.cli.console import err, out
    from modelmuster.expectations import book

    known = book.in_force(expectations)
    records = [record for record in _records(_folder(run)) if record.final]
    stale = [found for record in records for found in known.stale(record)]
    for found in stale:
        out().print(f"no longer fails: {found}", markup=False, soft_wrap=True)
    unused = known.unused(records)
    for entry in unused:
        place = f"{entry.expectation.architecture}: {entry.expectation.check}"
        out().print(f"foresaw nothing in this run: {place} ({entry.path})", markup=False, soft_wrap=True)
    err().print(f"{len(known.entries)} expected failures hold here, {len(stale)} have to go", markup=False)
    raise typer.Exit(1 if stale else 0)


@app.command()
def update(
    run: OfRun = "latest",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ARCHITECTURE]...", help="Names or globs. Default: all.")
    ] = None,
    *,
    check: selecting.Checks = None,
    target: reading.Targets = None,
    reason: Annotated[str, typer.Option("--reason", help="Why these are known: a sentence.")] = "",
    link: Annotated[str, typer.Option("--link", help="Where they are reported upstream.")] = "",
    expectations: selecting.ExpectationsFolder = None,
    dry_run: DryRun = False,
) -> None:
    """Write an entry for each finding of a run that its second attempt, alone, confirmed; show the difference."""
    from modelmuster.cli.console import err
    from modelmuster.expectations import book, writing

    folder = _folder(run)
    environment = folder.read_environment()
    packages = {package.name: package.version for package in environment.packages} if environment else {}
    found = writing.propose(_records(folder))
    chosen = [proposal for proposal in found.reproduced if _wanted(proposal, names, check, target)]
    for proposal in found.seen_once:
        if _wanted(proposal, names, check, target):
            place = f"{proposal.record.cell.model_type}: {proposal.result.check}"
            err().print(f"not written, since seen only once: {place}", markup=False, soft_wrap=True)
    tables = [proposal.table(packages.get("transformers"), reason=reason, link=link) for proposal in chosen]
    _carry_out(writing.add(expectations or book.USERS, tables), dry_run=dry_run)
    if chosen and not reason:
        err().print(
            "each reason is a placeholder that a run refuses: replace it with a sentence, or give --reason",
            markup=False,
            soft_wrap=True,
        )


@app.command()
def remove(
    architecture: Annotated[str, typer.Argument(help="As the entry has it, globs included.")],
    *,
    check: Annotated[str, typer.Option("--check", "-c", help="As the entry has it.")],
    model_class: Annotated[str, typer.Option("--class", help="As the entry has it.")] = "",
    target: Annotated[str, typer.Option("--target", "-t", help="As the entry has it.")] = "*",
    dtype: Annotated[str, typer.Option("--dtype", help="As the entry has it.")] = "float32",
    scale: selecting.ScaleName = "tiny",
    expectations: selecting.ExpectationsFolder = None,
    dry_run: DryRun = False,
) -> None:
    """Take an entry out of its file; show the difference."""
    from modelmuster.errors import UsageError
    from modelmuster.expectations import book, writing

    folders = [folder for folder in (book.OURS, expectations or book.USERS) if folder.is_dir()]
    paths = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    wanted = {"architecture": architecture, "class": model_class, "check": check}
    changes = writing.remove(paths, wanted | {"target": target, "dtype": dtype, "scale": scale})
    if not changes:
        raise UsageError(
            f"no entry for {architecture}: {check} with this class, target, dtype and scale",
            hint="see: muster expect list",
        )
    _carry_out(changes, dry_run=dry_run)


def _carry_out(changes: Iterable[Change], *, dry_run: bool) -> None:
    from modelmuster.cli.console import err

    differing = [change for change in changes if change.diff]
    for change in differing:
        typer.echo(change.diff, nl=False)
        if not dry_run:
            change.write()
    verb = "would change" if dry_run else "changed"
    err().print(f"{len(differing)} files {verb}" if differing else "nothing to change", markup=False)


def _wanted(
    proposal: Proposal, names: Sequence[str] | None, checks: Sequence[str] | None, targets: Sequence[str] | None
) -> bool:
    import fnmatch

    cell = proposal.record.cell
    pairs = ((cell.model_type, names), (proposal.result.check, checks), (cell.target, targets))
    return all(not globs or any(fnmatch.fnmatchcase(value, glob) for glob in globs) for value, globs in pairs)


def _folder(run: str) -> RunFolder:
    from modelmuster.runs import folders
    from modelmuster.settings import Home

    home = Home.find()
    return folders.latest_run(home) if run == "latest" else folders.open_run(home, run)


def _records(folder: RunFolder) -> list[CellRecord]:
    from modelmuster.runs import journal

    return list(journal.read(folder.journal))
