"""What is running now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from modelmuster.pages.blocks import Block, Code, Heading, Mark, Page, Table, Tile, Tiles, heads, note
from modelmuster.pages.words import COUNTED, counted, lasting, number, percent
from modelmuster.views.live import PACE_OF, Live, LiveRuns

STALE_S = 30.0
"""After so long without a sign of life a run is called silent."""


def live(watched: LiveRuns) -> Page:
    """Every run that goes on."""
    found = watched.look()
    blocks: list[Block] = []
    for run in found:
        blocks += _run(run)
    if not found:
        blocks.append(note("Nothing runs at this moment. To begin: ", Code("muster run")))
    return Page(
        name="live",
        title="Live",
        question="What is running now, and what did it find so far?",
        blocks=tuple(blocks),
    )


def _run(found: Live) -> Iterator[Block]:
    seen = found.status
    silent = (datetime.now(UTC) - datetime.fromisoformat(seen.updated_at)).total_seconds()
    share = seen.recorded / seen.planned if seen.planned else None
    yield Heading(f"Run {found.run_id}")
    yield Tiles(
        (
            Tile("Cells done", number(seen.recorded), f"of {number(seen.planned)} planned", percent(share)),
            Tile("Running now", number(len(seen.running)), "cells", f"on {seen.host}, process {seen.pid}"),
            Tile(
                "Left",
                "–" if found.minutes_left is None else lasting(found.minutes_left),
                "at the present pace",
                "too few cells have ended"
                if found.cells_per_minute is None
                else f"{found.cells_per_minute:.3g} cells a minute, by the last {PACE_OF} at most",
            ),
            Tile(
                "Last sign of life",
                f"{silent:.0f} s",
                "ago",
                "silent for long: it may have been killed; to finish it: muster run --resume"
                if silent > STALE_S
                else "",
            ),
        )
    )
    rows = tuple(
        (Code(target), f"{number(found.decided.get(target, 0))} / {number(cells)}", *counted(found.tallies[target]))
        if target in found.tallies
        else (Code(target), f"0 / {number(cells)}", "not begun", "–", "–", "–", "–")
        for target, cells in sorted(found.planned.items())
    )
    # What is planned is counted in cells here: of results only those of finished cells are known.
    yield Table("targets", heads("target", "#cells done / planned", *COUNTED), rows, "nothing was planned")
    running = tuple(
        (Code(cell_id), seen.places.get(cell_id, "this machine"), f"{seconds:.0f} s")
        for cell_id, seconds in sorted(seen.running.items(), key=lambda item: -item[1])
    )
    yield Table("running", heads("cell", "where", "#for"), running, "no cell at this very moment")
    findings = tuple((Code(one.cell_id), one.check, Mark(one.outcome), one.message) for one in found.findings)
    yield Table(
        "findings", heads("cell, the latest first", "check", "outcome", "what it says"), findings, "no finding yet"
    )
