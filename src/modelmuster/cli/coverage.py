"""`muster coverage`: which architectures have a test file, what it found, and which to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmuster.cli import selecting
from modelmuster.cli.generate import FOLDER, PriorityName

if TYPE_CHECKING:
    from collections import Counter

    from rich.table import Table

    from modelmuster.generate.coverage import Coverage, State


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
    from modelmuster.errors import NothingSelected, UnknownName
    from modelmuster.generate import coverage as coverages

    if priority is not None and priority not in list(Priority):
        raise UnknownName("priority", priority, list(Priority), see="muster coverage --help")
    ranks = ranking()
    chosen = selecting.chosen_architectures(selecting.Choice(terms=terms, families=family))
    chosen = [entry for entry in chosen if priority is None or ranks.of(entry.model_type) == priority]
    if not chosen:
        raise NothingSelected(f"no architecture of {priority} priority is among them", hint="see: muster coverage")
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
        "counts": _by_state(found.counts),
        "priorities": {priority.value: _by_state(counts) for priority, counts in found.by_priority()},
        "families": {family.value: _by_state(counts) for family, counts in found.by_family()},
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


def _by_state(counts: Counter[State]) -> dict[str, int]:
    return {state.value: number for state, number in counts.items()}


def _table(found: Coverage) -> None:
    from modelmuster.cli.reading import safe, table_console

    rows = _columns("architecture", "family", "priority", "state", "results")
    for row in found.rows:
        state = row.state.value + (", edited" if row.edited else "")
        results = str(row.tally) if row.tally else row.note
        rows.add_row(*map(safe, (row.model_type, row.family.value, row.priority.value, state, results)))
    table_console().print(rows)
    counts = _columns("priority or family", *(state.value for state in found.states))
    for group, number in [*found.by_priority(), *found.by_family()]:
        if number:
            counts.add_row(group.value, *(str(number[state]) for state in found.states))
    table_console().print(counts)
    total = ", ".join(f"{number} {state.value}" for state, number in found.counts.most_common())
    typer.echo(f"{total}; priorities: {found.ranking.source}, {found.ranking.date}", err=True)


def _columns(*names: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in names:
        table.add_column(name)
    return table
