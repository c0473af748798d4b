"""`muster coverage`: which architectures have a test file, what it found, and which to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmuster.cli import selecting
from modelmuster.cli.generate import FOLDER, PriorityName

if TYPE_CHECKING:
    from modelmuster.generate.coverage import Coverage


def coverage(
    terms: selecting.Terms = None,
    *,
    family: selecting.Families = None,
    priority: PriorityName = None,
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder of the test files.", metavar="DIR")] = FOLDER,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a page.", metavar="FILE")] = None,
    json: selecting.Json = False,
) -> None:
    """Show which architectures have a test file, which files ran and passed, and what is missing, most used first.

    Examples: muster coverage --priority high · muster coverage --family vision --html coverage.html
    """
    from modelmuster import catalog
    from modelmuster.catalog.priority import Priority, ranking
    from modelmuster.cli.console import err, write_json
    from modelmuster.errors import UnknownName
    from modelmuster.generate import coverage as coverages

    if priority is not None and priority not in list(Priority):
        raise UnknownName("priority", priority, list(Priority), see="muster coverage --help")
    ranks = ranking()
    chosen = selecting.chosen_architectures(selecting.Choice(terms=terms, families=family))
    chosen = [entry for entry in chosen if priority is None or ranks.of(entry.model_type) == priority]
    found = coverages.cover(chosen, coverages.files_in(folder), _results(), ranks)
    if html is not None:
        from modelmuster.generate import page

        page.write(found, html, catalog.load().transformers)
        err().print(f"wrote {html}", markup=False, soft_wrap=True)
    if json:
        write_json(_document(found))
    elif html is None:
        _table(found)


def _results() -> Any:
    """What the store knows; nothing where there is no run yet."""
    from modelmuster import store
    from modelmuster.runs import folders
    from modelmuster.settings import Home
    from modelmuster.views.file_tests import file_tests

    home = Home.find()
    if not folders.run_ids(home):
        return {}
    with store.reader(home) as reader:
        return file_tests(reader)


def _document(found: Coverage) -> dict[str, Any]:
    return {
        "ranking": {"date": found.ranking.date, "source": found.ranking.source},
        "counts": {state.value: number for state, number in found.counts.items()},
        "architectures": [
            {
                "model_type": row.model_type,
                "family": row.family.value,
                "priority": row.priority.value,
                "state": row.state.value,
                "edited": row.edited,
                "files": [str(path) for path in row.files],
                "run_id": row.run_id,
                "results": {outcome.value: number for outcome, number in row.tally.counts.items()} if row.tally else {},
                "note": row.note,
            }
            for row in found.rows
        ],
    }


def _table(found: Coverage) -> None:
    from rich import box
    from rich.table import Table

    from modelmuster.cli.reading import safe, table_console

    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("architecture", "family", "priority", "state", "results"):
        table.add_column(name)
    for row in found.rows:
        state = row.state.value + (", edited" if row.edited else "")
        results = str(row.tally) if row.tally else row.note
        table.add_row(*map(safe, (row.model_type, row.family.value, row.priority.value, state, results)))
    table_console().print(table)
    counts = ", ".join(f"{number} {state.value}" for state, number in found.counts.most_common())
    typer.echo(f"{counts}; priorities: {found.ranking.source}, {found.ranking.date}", err=True)
