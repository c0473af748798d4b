"""`muster catalog`: what exists, what a name stands for, and what changed between two versions of transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from modelmuster.catalog import Catalog, Changes
    from modelmuster.records import Architecture

app = typer.Typer(
    help="Show the architectures of transformers: list, show, resolve, diff, snapshot.",
    invoke_without_command=True,
    rich_markup_mode=None,
    epilog="Examples: muster catalog --family vision; muster catalog show bert --explain; muster catalog resolve phi4",
)

Families = Annotated[list[str] | None, typer.Option("--family", help="Only this family; repeatable.")]
Traits = Annotated[list[str] | None, typer.Option("--trait", help="Only with this trait; repeatable, all must hold.")]
Parts = Annotated[bool, typer.Option("--parts", "--all", help="Also the parts of other architectures.")]
Counts = Annotated[bool, typer.Option("--families", help="Only how many there are in each family.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Introspect the installed transformers again.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@app.callback()
def _default(
    context: typer.Context,
    *,
    family: Families = None,
    trait: Traits = None,
    parts: Parts = False,
    families: Counts = False,
    refresh: Refresh = False,
    json: Json = False,
) -> None:
    """Without a subcommand: list."""
    if context.invoked_subcommand is None:
        list_(family=family, trait=trait, parts=parts, families=families, refresh=refresh, json=json)


@app.command("list")
def list_(
    terms: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARCHITECTURE|TERM]...", help="Names or globs, or terms such as family:vision."),
    ] = None,
    *,
    family: Families = None,
    trait: Traits = None,
    parts: Parts = False,
    families: Counts = False,
    refresh: Refresh = False,
    json: Json = False,
) -> None:
    """List architectures."""
    from modelmuster import selection

    catalog = _load(refresh)
    wanted = selection.Selection(
        families=tuple(selection.family(name) for name in family or ()),
        traits=tuple(selection.trait(name) for name in trait or ()),
        parts=parts,
    ).with_terms(terms or ())
    found = wanted.architectures(catalog.architectures)
    if families:
        _show_counts(found, json)
    elif json:
        _write_json([_as_row(entry) for entry in found])
    else:
        for entry in found:
            traits = ", ".join(trait.value for trait in entry.traits)
            typer.echo(
                f"{entry.model_type:36} {entry.family.value:16} {entry.default_class or '-':48} {traits}".rstrip()
            )
    if not json:
        _say_where_from(catalog, len(found))


@app.command()
def show(
    model_type: Annotated[str, typer.Argument(metavar="TYPE", help="A model type, such as bert.")],
    explain: Annotated[bool, typer.Option("--explain", help="Give the reasons; introspects this type again.")] = False,
    json: Json = False,
) -> None:
    """Show everything about one architecture."""
    entry = _load().get(model_type)
    reasons: dict[str, str] = {}
    if explain:
        from modelmuster.catalog.explain import explain as judge

        judgement = judge(model_type)
        entry, reasons = judgement.architecture, dict(judgement.reasons)
    if json:
        _write_json(_as_row(entry) | ({"reasons": reasons} if explain else {}))
        return
    for name, value in _as_row(entry).items():
        if name not in ("model_classes", "tasks") and value not in (None, []):
            typer.echo(f"{name:14} {', '.join(value) if isinstance(value, list) else value}")
    for made in entry.model_classes:
        typer.echo(f"{'class':14} {made.name:52} {', '.join(made.tasks)}".rstrip())
    for about, reason in reasons.items():
        typer.echo(f"because        {about}: {reason}")


@app.command()
def resolve(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of models, in any usual spelling.")],
    json: Json = False,
) -> None:
    """Say which model type a name stands for, or why there is none."""
    from modelmuster import catalog

    known = _load()
    found = [catalog.resolve(name, known) for name in names]
    if json:
        _write_json([{"name": one.name, "model_type": one.model_type, "reason": one.reason} for one in found])
        return
    for one in found:
        typer.echo(f"{one.name:28} {one.model_type or '-':28} {one.reason}")


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A version, a file, or `installed`.")],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The same; the installed version if left out.")
    ] = "installed",
    json: Json = False,
) -> None:
    """Show the types that were added, removed and changed between two versions of transformers."""
    from modelmuster import catalog

    changes = catalog.diff(catalog.open_catalog(old), catalog.open_catalog(new))
    if json:
        _write_json(_changes_as_json(changes))
        return
    for entry in changes.added:
        typer.echo(f"+ {entry.model_type:36} {entry.family.value}")
    for entry in changes.removed:
        typer.echo(f"- {entry.model_type:36} {entry.family.value}")
    for change in changes.changed:
        typer.echo(f"~ {change.model_type}")
        for name, (before, after) in change.fields.items():
            typer.echo(f"    {name}: {_in_short(before)} -> {_in_short(after)}")
    typer.echo(
        f"{changes.old} -> {changes.new}: {len(changes.added)} added, {len(changes.removed)} removed,"
        f" {len(changes.changed)} changed",
        err=True,
    )


@app.command()
def snapshot(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; default: VERSION.jsonl here.")
    ] = None,
) -> None:
    """Introspect the installed transformers and write its catalogue to a file, for diff or for shipping."""
    from modelmuster import catalog
    from modelmuster.catalog import snapshot as snapshots

    made = catalog.introspect(_progress())
    path = output or Path(snapshots.file_name(made.transformers))
    snapshots.write(made, path)
    typer.echo(path)
    _say_where_from(made, len(made))


def _load(refresh: bool = False) -> Catalog:
    from modelmuster import catalog

    return catalog.load(refresh=refresh, advance=_progress())


def _progress() -> Callable[[str, int, int], None]:
    """Progress of an introspection on standard error: a line that changes on a terminal, else one line in all."""
    import sys

    terminal = sys.stderr.isatty()

    def advance(model_type: str, done: int, total: int) -> None:
        if terminal:
            end = "\n" if done + 1 == total else ""
            sys.stderr.write(f"\r\x1b[Kreading transformers: {done + 1} of {total} types, {model_type}{end}")
        elif done == 0:
            sys.stderr.write(f"reading {total} types of transformers, about half a minute\n")
        sys.stderr.flush()

    return advance


def _say_where_from(catalog: Catalog, shown: int) -> None:
    from modelmuster.catalog import why_not_installed

    where = why_not_installed(catalog) or f"{catalog.source} of transformers {catalog.transformers}"
    typer.echo(f"{shown} of {len(catalog)} types; {where}", err=True)


def _show_counts(found: Iterable[Architecture], json: bool) -> None:
    from collections import Counter

    from modelmuster.records import Family

    counts = Counter(entry.family for entry in found)
    if json:
        _write_json({family.value: counts[family] for family in Family})
        return
    for family in Family:
        typer.echo(f"{family.value:16} {counts[family]:5}")


def _as_row(entry: Architecture) -> dict[str, Any]:
    """An architecture as JSON: names of classes as a list, their tasks beside it."""
    import msgspec

    row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(entry))
    classes = row.pop("model_classes")
    row["model_classes"] = [made["name"] for made in classes]
    row["tasks"] = {made["name"]: made["tasks"] for made in classes}
    return row


def _changes_as_json(changes: Changes) -> dict[str, Any]:
    return {
        "old": changes.old,
        "new": changes.new,
        "added": [_as_row(entry) for entry in changes.added],
        "removed": [_as_row(entry) for entry in changes.removed],
        "changed": [
            {
                "model_type": change.model_type,
                "fields": {name: {"before": before, "after": after} for name, (before, after) in change.fields.items()},
            }
            for change in changes.changed
        ],
    }


def _in_short(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_in_short(item) for item in value) or "nothing"
    return str(value["name"]) if isinstance(value, dict) else str(value)


def _write_json(data: Any) -> None:
    from modelmuster.cli.console import write_json

    write_json(data)
