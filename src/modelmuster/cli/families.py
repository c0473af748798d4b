"""`muster families`: how much of each family really ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from rich.table import Table

    from modelmuster.records import Outcome
    from modelmuster.views.families import FamilyCounts


def families(
    names: reading.Names = None,
    *,
    run: reading.OfRun = "latest",
    check: Annotated[str, typer.Option("--check", "-c", metavar="CHECK", help="The check that decides.")] = "forward",
    target: reading.Targets = None,
    family: reading.Families = None,
    json: reading.AsJson = False,
) -> None:
    """Show how many types of each family ran, passed and took all their kinds of input in one call; and the rest.

    Examples: muster families · muster families --check reference -t torch:cpu
    """
    from modelmuster import catalog
    from modelmuster.cli.console import out, write_json
    from modelmuster.views.families import by_family
    from modelmuster.views.narrowing import narrow

    with reading.stored() as reader:
        chosen = narrow(reader, run=run, names=names or (), families=family or (), targets=target or (), checks=[check])
        found = by_family(reader, chosen, {entry.model_type: entry for entry in catalog.load()})
    if json:
        write_json({"run_id": chosen.run.run_id, "check": check, "families": [_document(row) for row in found]})
        return
    reading.table_console().print(_table(found))
    for row in found:
        if row.not_fused:
            names_of = ", ".join(row.not_fused)
            out().print(reading.safe(f"not all kinds of input in one call: {names_of}"), soft_wrap=True)
        for one in row.rest:
            how = one.outcome or "cannot be planned"
            reason = " ".join(one.reason.split())
            out().print(reading.safe(f"{one.model_type} ({row.family}): {how}: {reason}"), soft_wrap=True)


def _document(row: FamilyCounts) -> dict[str, object]:
    import dataclasses

    return dataclasses.asdict(row)


def _table(found: tuple[FamilyCounts, ...]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("family", "types", "ran", "passed", "several kinds of input", "in one call", "outcomes"):
        table.add_column(heading, justify="left" if heading in {"family", "outcomes"} else "right")
    for row in found:
        table.add_row(reading.safe(row.family), *_numbers([row]), _outcomes([row]))
    table.add_section()
    table.add_row("all", *_numbers(found), _outcomes(found))
    return table


def _numbers(rows: tuple[FamilyCounts, ...] | list[FamilyCounts]) -> list[str]:
    names = ("types", "ran", "passed", "multimodal", "fused")
    return [str(sum(getattr(row, name) for row in rows)) for name in names]


def _outcomes(rows: tuple[FamilyCounts, ...] | list[FamilyCounts]) -> str:
    from collections import Counter

    from modelmuster.views.rates import ordered

    total: Counter[Outcome] = sum((Counter(row.outcomes) for row in rows), Counter())
    return " · ".join(f"{outcome.letter} {outcome} {count}" for outcome, count in ordered(total))
