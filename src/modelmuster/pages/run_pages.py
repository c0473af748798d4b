"""Runs and workers: what ran, where, and what goes on now."""

from __future__ import annotations

from collections.abc import Iterable

from modelmuster.pages.blocks import (
    Block,
    Code,
    Heading,
    Link,
    Page,
    Piece,
    Soft,
    Table,
    Tile,
    Tiles,
    heads,
    spread,
    to,
)
from modelmuster.pages.words import COUNTED, counted, milliseconds, number, of_cell, percent, when
from modelmuster.runs.status import RunStatus
from modelmuster.store import Reader
from modelmuster.views.runs import find
from modelmuster.views.runs import runs as runs_view
from modelmuster.views.workers import workers as workers_view


def runs(reader: Reader) -> Page:
    """Every run, the youngest first."""
    rows = tuple(
        (
            (Link(row.run_id, to("matrix", run=row.run_id)), " ", Soft(row.command)),
            when(row.created_at),
            f"{number(row.cells_reached)} / {number(row.cells)}",
            *counted(row.tally),
            Link("workers", to("workers", run=row.run_id)),
            row.hostname or "–",
        )
        for row in runs_view(reader, 200)
    )
    return Page(
        name="runs",
        title="Runs",
        question="What ran, when, where, and how far did it get?",
        blocks=(
            Table(
                "runs", heads("run", "begun", "#cells reached / planned", *COUNTED, "workers", "host"), rows, "no run"
            ),
        ),
    )


def workers(reader: Reader, run: str = "latest", status: RunStatus | None = None) -> Page:
    """Who did the work of a run, and what goes on now."""
    found = workers_view(reader, find(reader, run), status)
    done = status.recorded if status else found.recorded
    state = "goes on" if found.live else "has ended" if found.recorded >= found.planned else "stopped before its end"
    looked = f"last sign of life {when(found.looked_at)}" if found.looked_at else "nobody watched it"
    machines = tuple(
        (
            one.name or "this machine",
            {True: "alive", False: "lost", None: "not watched"}[one.alive],
            "–" if one.silent_s is None else f"{one.silent_s:.0f} s",
            spread(map(Code, one.targets)),
            number(one.workers),
            number(one.attempts),
            number(one.lost),
            "–" if one.cells_per_minute is None else f"{one.cells_per_minute:.1f}",
            percent(one.utilisation),
            _running(found.run_id, one.running.items()),
        )
        for one in found.machines
    )
    running = status.running.items() if status and found.live else ()
    now: list[Block] = [
        Heading("Running now", len(running)),
        Table(
            "now",
            heads("cell", "#for"),
            tuple((_running(found.run_id, [item]), f"{item[1]:.0f} s") for item in running),
            "nothing at this moment",
        ),
    ]
    slowest = tuple(
        (Link(one.cell_id, of_cell(found.run_id, one.cell_id)), one.machine, milliseconds(one.seconds * 1000))
        for one in found.slowest
    )
    return Page(
        name="workers",
        title="Workers",
        question="What is running now, what is stuck, and what were the machines worth?",
        run_id=found.run_id,
        blocks=(
            Tiles(
                (
                    Tile(
                        "Cells done", number(done), f"of {number(found.planned)} planned", f"the run {state}; {looked}"
                    ),
                    Tile(
                        "Speed-up",
                        "–" if found.speed_up is None else f"{found.speed_up:.2f}",
                        "cells at a time, on average",
                        f"efficiency {percent(found.efficiency)}",
                    ),
                    Tile(
                        "Work",
                        milliseconds(found.work_s * 1000),
                        f"in {milliseconds(None if found.span_s is None else found.span_s * 1000)}",
                        f"{found.repetitions} repetitions",
                    ),
                )
            ),
            *(now if found.live else []),
            Heading("Machines"),
            Table(
                "machines",
                heads(
                    "machine",
                    "state",
                    "#silent for",
                    "targets",
                    "#workers",
                    "#attempts",
                    "#lost",
                    "#cells a minute",
                    "#utilisation",
                    "runs now",
                ),
                machines,
                "no cell was begun",
            ),
            Heading("Waited for a place, in the middle"),
            Table(
                "waited",
                heads("target", "#seconds"),
                tuple((Code(target), f"{seconds:.1f}") for target, seconds in found.waited_s.items()),
                "no cell was begun",
            ),
            Heading("The slowest cells"),
            Table("slowest", heads("cell", "machine", "#time"), slowest, "no cell was begun"),
        ),
    )


def _running(run_id: str, cells: Iterable[tuple[str, float]]) -> tuple[Piece, ...]:
    return spread(Link(cell_id, of_cell(run_id, cell_id)) for cell_id, _ in cells)
