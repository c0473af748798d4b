"""Overview: is it healthy, and what changed since the run before?"""

from __future__ import annotations

from collections.abc import Iterable

from modelmuster.pages.blocks import Block, Code, Heading, Link, Mark, Note, Page, Table, Tile, Tiles, heads, note, to
from modelmuster.pages.words import COUNTED, counted, number, of_cell, of_model, percent, when
from modelmuster.store import Reader
from modelmuster.views.overview import Overview
from modelmuster.views.overview import overview as view
from modelmuster.views.runs import find
from modelmuster.views.turns import Turn, turns

SHOWN = 100


def overview(reader: Reader, run: str = "latest") -> Page:
    """The first page.

    Raises:
        UnknownName: there is no such run.
    """
    found = view(reader, run)
    by_target = found.summary.by_target
    return Page(
        name="overview",
        title="Overview",
        question="Is it healthy, and what changed since the run before?",
        run_id=found.run_id,
        blocks=(
            *_damages(found),
            _tiles(found),
            Heading("What changed since the run before"),
            *_changes(found),
            Heading("Targets"),
            Table(
                "targets",
                heads("target", *COUNTED),
                tuple((Code(name), *counted(tally)) for name, tally in by_target.items()),
                "no target was planned",
            ),
            Heading("When each target last ran for real"),
            Table(
                "last",
                heads("target", "run", "when", "#days before the youngest run"),
                tuple(
                    (
                        Code(one.target),
                        Link(one.run_id, to("matrix", run=one.run_id)),
                        when(one.created_at),
                        f"{one.days:.0f}",
                    )
                    for one in found.targets
                ),
                "no real inference is on record yet: muster run bert llama vit",
            ),
        ),
    )


def compare(reader: Reader, old: str, new: str) -> Page:
    """Two runs side by side.

    Raises:
        UnknownName: there is no such run.
    """
    before, after = find(reader, old), find(reader, new)
    found = turns(reader, before, after)
    changed = view(reader, after.run_id, before.run_id)
    return Page(
        name="compare",
        title="Two runs compared",
        question="What is different, the machines first?",
        run_id=after.run_id,
        blocks=(
            *_machines(changed),
            Heading("Marks that turned", len(found)),
            _turned(after.run_id, found),
            note("Question by question: ", Code(f"muster compare {before.run_id} {after.run_id}")),
        ),
    )


def _damages(found: Overview) -> Iterable[Block]:
    if found.summary.damages:
        yield note(
            f"{len(found.summary.damages)} lines or files of the run cannot be used, such as "
            f"{found.summary.damages[0]}. All of them: ",
            Code("muster db rebuild"),
        )


def _tiles(found: Overview) -> Tiles:
    total, real = found.summary.total, found.realness
    return Tiles(
        (
            Tile(
                "Architectures that gave an answer",
                number(found.answered),
                f"of {number(found.architectures)}",
                f"{len(found.summary.unplanned)} could not be planned",
            ),
            Tile(
                "Results decided",
                number(total.decided),
                f"of {number(total.planned)} planned",
                f"{percent(total.coverage)} coverage",
            ),
            Tile(
                "Pass rate",
                percent(total.pass_rate),
                f"{number(total.passed)} of {number(total.decided)} decided",
                f"{total.expected} findings were expected, {total.flaky} results are flaky",
            ),
            Tile(
                "🚀 Really run on hardware",
                percent(real.share),
                f"{number(real.hardware)} of {number(real.planned)} planned",
                f"{number(real.emulated)} emulated, {number(real.unproven)} stopped before a device answered, "
                f"{number(real.nothing)} no answer; 🔷 {number(real.mock)} mock, not counted",
            ),
        )
    )


def _changes(found: Overview) -> Iterable[Block]:
    if found.previous is None:
        yield note(
            "This is the first run on record. After the next one, what changed stands here: ", Code("muster run")
        )
        return
    yield from _machines(found)
    told = [f"{number(count)} {direction}" for direction, count in found.directions.items()]
    yield note(
        "Marks of the matrix: ",
        ", ".join(told) or "none turned",
        ": ",
        Link(f"this run against {found.previous}", to("compare", old=found.previous, new=found.run_id)),
        ".",
    )
    yield _turned(found.run_id, found.turns)


def _machines(found: Overview) -> Iterable[Note]:
    if found.previous is not None:
        changes = ", ".join(found.environment_changes)
        yield note(
            f"Against {found.previous}. ",
            f"Machines and software differ: {changes}" if changes else "Machines and software are the same",
            ".",
        )


def _turned(run_id: str, found: Iterable[Turn]) -> Table:
    rows = tuple(
        (
            Link(turn.model_type, of_model(run_id, turn.model_type)) if turn.after else turn.model_type,
            Code(f"{turn.target} {turn.dtype} {turn.scale}"),
            turn.direction,
            Mark(turn.before) if turn.before else "not planned",
            Link(Mark(turn.after), of_cell(run_id, turn.cell_id)) if turn.after else "not planned",
            turn.message,
        )
        for turn in found
    )
    return Table("turned", heads("architecture", "target", "direction", "before", "now", "why"), rows[:SHOWN], "none")
