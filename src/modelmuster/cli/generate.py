"""`muster generate`: a readable pytest file for each architecture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmuster.cli import selecting

if TYPE_CHECKING:
    from modelmuster.generate.files import Change
    from modelmuster.generate.making import Made
    from modelmuster.records import Architecture

Output = Annotated[Path, typer.Option("--output", "-o", help="Folder of the test files.", metavar="DIR")]
PriorityName = Annotated[
    str | None,
    typer.Option("--priority", help="Only architectures of this priority.", metavar="high|medium|low"),
]

FOLDER = Path("muster_tests")
"""Where test files go, and are looked for, unless told otherwise."""

BEHIND = (
    "note: what is known of these models was recorded before the code of recipes or checks changed; "
    "build them now: --fresh, renew all that is shipped: make snapshots"
)


def generate(
    terms: selecting.Terms = None,
    *,
    family: selecting.Families = None,
    every: Annotated[bool, typer.Option("--all", help="Every top-level architecture.")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="Only those without a file in the folder.")] = False,
    priority: PriorityName = None,
    output: Output = FOLDER,
    classes: selecting.Classes = "default",
    check: Annotated[
        list[str] | None, typer.Option("--check", "-c", help="Only this question, such as causality; repeatable.")
    ] = None,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="Files that need torch, transformers and pytest only.")
    ] = False,
    templates: Annotated[
        Path | None, typer.Option("--templates", help="Folder of your own templates.", metavar="DIR")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Run each file on the CPU; write only those that pass.")
    ] = False,
    update: Annotated[bool, typer.Option("--update", help="Merge what is new into edited files.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace edited files.")] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Build each model now; what older code recorded of it does not count."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, write nothing.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what would change, write nothing; exit 1 if anything would.")
    ] = False,
    refresh_priority: Annotated[
        bool, typer.Option("--refresh-priority", help="Count downloads on the hub anew first; needs the network.")
    ] = False,
    json: selecting.Json = False,
) -> None:
    """Write pytest files that build the tiny model, call it and assert, one architecture each.

    Examples: muster generate bert llama · muster generate --family vision --missing · muster generate --all
    """
    from modelmuster import catalog
    from modelmuster.catalog import priority as priorities
    from modelmuster.cli.console import err
    from modelmuster.errors import UsageError
    from modelmuster.generate import coverage, files, making, render
    from modelmuster.settings import Home

    if classes not in ("default", "all"):
        raise UsageError(f"cannot read --classes {classes!r}", hint="choose default or all")
    if templates is not None:
        render.check_folder(templates)
    if refresh_priority:
        priorities.refresh()
    if not (terms or family or every or missing or priority or refresh_priority):
        raise UsageError(
            "which architectures?", hint="name some (muster generate bert), or choose: --family, --all, --missing"
        )
    home, known = Home.find(), catalog.load()
    wish = making.Wish(
        architectures=_chosen(terms, family, priority),
        folder=output,
        have=coverage.files_by_class(output) if missing else (),
        every_class=classes == "all",
        style=render.Style(
            standalone=standalone,
            checks=tuple(check or ()),
            templates=templates.absolute() if templates else None,
        ),
        verify=verify,
        force=force,
        update=update,
        fresh=fresh,
    )
    made = making.make(wish, known, home, advance=_say_built)
    if made.behind:
        err().print(BEHIND, markup=False, soft_wrap=True)
    if not (dry_run or diff):
        for change in made.changes:
            files.write(change, home)
    _show(made, as_json=json, as_diff=diff)
    raise typer.Exit(_exit_code(made, asked_by_name=bool(terms), looking=diff))


def _chosen(terms: list[str] | None, family: list[str] | None, priority: str | None) -> list[Architecture]:
    from modelmuster.catalog.priority import Priority, ranking
    from modelmuster.errors import NothingSelected, UnknownName

    chosen = selecting.chosen_architectures(selecting.Choice(terms=terms, families=family))
    if priority is not None:
        if priority not in list(Priority):
            raise UnknownName("priority", priority, list(Priority), see="muster generate --help")
        ranks = ranking()
        chosen = [entry for entry in chosen if ranks.of(entry.model_type) == priority]
    if not chosen:
        raise NothingSelected(f"no architecture of {priority} priority is among them", hint="see: muster coverage")
    return chosen


def _say_built(blueprint: Any) -> None:
    from modelmuster.cli.console import err

    said = f"no recipe: {blueprint.reason}" if blueprint.reason else "built"
    err().print(f"{blueprint.model_type} {blueprint.model_class}: {said}", markup=False, soft_wrap=True)


def _show(made: Made, *, as_json: bool, as_diff: bool) -> None:
    from collections import Counter

    from modelmuster.cli.console import err, write_json

    if as_json:
        write_json(
            {
                "files": [_row(change) | ({"diff": change.diff} if as_diff else {}) for change in made.changes],
                "without": [
                    {"model_type": entry.model_type, "model_class": entry.model_class, "reason": entry.reason}
                    for entry in made.without
                ],
            }
        )
    elif as_diff:
        typer.echo("".join(change.diff for change in made.changes), nl=False)
    else:
        for change in made.changes:
            typer.echo(f"{change.fate.value:12} {change.path}")
    for change in made.changes:
        if change.note:
            err().print(f"{change.path}: {change.note}", markup=False, soft_wrap=True)
    for entry in made.without:
        err().print(f"no file for {entry.model_type}: {entry.reason}", markup=False, soft_wrap=True)
    counts = Counter(change.fate.value for change in made.changes)
    said = ", ".join(f"{number} {fate}" for fate, number in counts.items()) or "nothing to do"
    err().print(f"{said}; {sum(change.draft.tests for change in made.changes)} tests", markup=False)


def _row(change: Change) -> dict[str, Any]:
    return {
        "path": str(change.path),
        "model_type": change.draft.blueprint.model_type,
        "model_class": change.draft.blueprint.model_class,
        "family": change.draft.blueprint.family.value,
        "fate": change.fate.value,
        "tests": change.draft.tests,
        "lines": change.draft.text.count("\n"),
        "note": change.note,
    }


def _exit_code(made: Made, *, asked_by_name: bool, looking: bool) -> int:
    """2 for a type asked for by name that has no recipe, 1 for files that could not be made or, with --diff, differ."""
    from modelmuster.generate.files import WRITTEN, Fate

    if made.without and asked_by_name:
        return 2
    fates = {change.fate for change in made.changes}
    return 1 if Fate.FAILED in fates or (looking and fates & WRITTEN) else 0
