"""One architecture, and one cell of it down to its log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import msgspec

from modelmuster.pages.blocks import (
    Block,
    Code,
    Command,
    Entry,
    Facts,
    Heading,
    Link,
    Mark,
    Page,
    Piece,
    Soft,
    Table,
    Text,
    Tile,
    Tiles,
    heads,
    note,
    spread,
    to,
)
from modelmuster.pages.words import milliseconds, number, of_cell, of_model, percent, when
from modelmuster.records import HELD, Inference, Outcome
from modelmuster.store import Reader
from modelmuster.views.cell import CellDetail, CheckDetail
from modelmuster.views.cell import cell as cell_view
from modelmuster.views.model import Model, ModelCell, Past
from modelmuster.views.model import model as model_view

_GLOSS = {
    Outcome.PASS: "all that applies passes",
    Outcome.NOT_APPLICABLE: "no question fits",
}


def model(reader: Reader, run: str, name: str) -> Page:
    """The page of an architecture.

    Raises:
        UnknownName: there is no such run, or it planned no such architecture.
    """
    return of(model_view(reader, run, name))


def of(found: Model) -> Page:
    """The page of an architecture that is at hand."""
    several = len({cell.model_class for cell in found.cells}) > 1
    columns = [_label(cell, several) for cell in found.cells]
    by_check = tuple(
        (Code(check), *(_answer(found.run_id, cell, check) for cell in found.cells)) for check in found.checks
    )
    cells = tuple(
        (
            (
                Link(Mark(cell.outcome, cell.mock), of_cell(found.run_id, cell.cell_id)),
                " ",
                Code(_label(cell, several)),
            ),
            _GLOSS.get(cell.outcome) or _first(cell),
            cell.device_name or "nothing ran",
            milliseconds(sum(check.duration_ms or 0 for check in cell.checks)) if not cell.mock else "–",
            f"{cell.peak_rss_bytes / 2**20:.0f} MiB" if cell.peak_rss_bytes and not cell.mock else "–",
            Command(cell.reproduce),
        )
        for cell in found.cells
    )
    past = tuple((Code(label), _strip(marks)) for label, marks in found.history.items())
    return Page(
        name="model",
        title=found.model_type,
        question="How does this architecture do everywhere?",
        run_id=found.run_id,
        blocks=(
            Tiles(
                (
                    Tile(
                        "Family",
                        found.family.value,
                        "",
                        f"{number(found.parameters)} parameters as built"
                        if found.parameters
                        else "never built in this run",
                    ),
                    Tile(
                        "Pass rate",
                        percent(found.tally.pass_rate),
                        f"{number(found.tally.passed)} of {number(found.tally.decided)} decided",
                        f"🔷 {found.tally.mock} mock results, not counted" if found.tally.mock else "",
                    ),
                    Tile(
                        "Coverage",
                        percent(found.tally.coverage),
                        f"{number(found.tally.decided)} of {number(found.tally.planned)} planned",
                    ),
                )
            ),
            Heading("Cells, and how to run them again", len(cells)),
            Table(
                "cells",
                heads("cell", "what it says", "device", "#time of its checks", "#peak memory", "reproduce"),
                cells,
                "none",
            ),
            Heading("Check by check", len(by_check)),
            Table("checks", heads("check", *columns), by_check, "none"),
            Heading("The last runs, the oldest first"),
            Table("past", heads("target", "outcomes"), past, "no real inference is on record"),
            Heading("Others of the family", len(found.siblings)),
            note(*(spread((Link(name, of_model(found.run_id, name)) for name in found.siblings), 40) or ("none",))),
        ),
    )


def cell(reader: Reader, run: str, cell_id: str) -> Page:
    """The page of a cell.

    Raises:
        UnknownName: there is no such run, or the plan has no such cell.
    """
    found = cell_view(reader, run, cell_id)
    mock = any(check.result.inference is Inference.MOCK for check in found.checks)
    return Page(
        name="cell",
        title=f"{found.model_type} on {found.target} {found.dtype} {found.scale}",
        question="What exactly happened, and how do I reproduce it?",
        run_id=found.run_id,
        blocks=(
            _verdict(found, mock),
            note(Command(found.reproduce)),
            Heading("Checks", len(found.checks)),
            Table(
                "checks",
                heads("check", "outcome", "#time", "what it says", "figures"),
                tuple(map(_check, found.checks)),
                "none was planned",
            ),
            *_errors(found),
            Heading("Evidence"),
            Facts(tuple(_evidence(found))),
            Heading("Attempts", len(found.attempts)),
            Table(
                "attempts",
                heads("attempt", "worker", "begun", "what it ran", "#time", "#peak memory", "answers"),
                tuple(_attempts(found)),
                "it was never reached",
            ),
            *_texts(found),
        ),
    )


def _verdict(found: CellDetail, mock: bool) -> Block:
    mark = Mark(found.outcome, mock)
    where = Link(found.model_type, of_model(found.run_id, found.model_type))
    weights: tuple[Piece, ...] = (" · ", Code(found.checkpoint)) if found.checkpoint else ()
    return note(mark, " ", mark.word, " · ", where, " · ", Code(found.model_class), *weights)


def _label(cell: ModelCell, several: bool) -> str:
    return " ".join([cell.target, cell.dtype, cell.scale, *([cell.model_class] if several else [])])


def _answer(run_id: str, cell: ModelCell, check: str) -> Entry:
    for answer in cell.checks:
        if answer.check == check:
            mark = Mark(answer.outcome, answer.mock, answer.expected is not None, answer.flaky)
            return Link(mark, of_cell(run_id, cell.cell_id))
    return ""


def _first(cell: ModelCell) -> str:
    """What the first check of the cell's own outcome says."""
    return next((answer.message for answer in cell.checks if answer.outcome is cell.outcome), "")


def _strip(marks: Iterable[Past]) -> Entry:
    pieces: list[Piece] = []
    for past in marks:
        pieces += [Link(Mark(past.outcome), of_cell(past.run_id, past.cell_id)), " "]
    return tuple(pieces)


def _check(check: CheckDetail) -> tuple[Entry, ...]:
    result = check.result
    mock = result.inference is Inference.MOCK
    mark = Mark(result.outcome, mock, result.expected is not None, result.flaky)
    said = [result.message or check.error_message or ""]
    if result.expected:
        said.append(f"expected: {result.expected}")
    if check.same_elsewhere:
        said.append(f"{check.same_elsewhere} other cells end the same way")
    figures = ", ".join(f"{name} {_figure(value)}" for name, value in result.figures.items() if name != HELD)
    return (
        Code(result.check),
        (mark, " ", result.word),
        "–" if mock else milliseconds(result.duration_ms),
        " · ".join(part for part in said if part),
        Soft(figures),
    )


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _errors(found: CellDetail) -> Iterator[Block]:
    seen: set[str] = set()
    for check in found.checks:
        if check.traceback and check.traceback not in seen:
            seen.add(check.traceback)
            kind = check.result.error_type or "error"
            yield Text(f"{check.result.check}: {kind}", check.traceback, open=len(seen) == 1)


def _evidence(found: CellDetail) -> Iterator[tuple[str, Entry]]:
    result = next((check.result for check in found.checks if check.result.device_name), None)
    if result is None:
        yield "device", "nothing ran: no runtime named a device"
        return
    yield "what ran", result.inference_label
    yield "device", f"{result.device_name} ({result.device_kind})"
    yield "asked for", result.device or "–"
    yield "precision", result.precision or "–"
    yield "route", result.route or "–"
    if result.nodes_total is not None:
        yield "graph nodes on the target", f"{result.nodes_on_target} of {result.nodes_total}"
    if result.fallbacks:
        yield "ran elsewhere", ", ".join(result.fallbacks)
    if found.deciding is not None and found.deciding.counts:
        yield "counted", ", ".join(f"{count} {name}" for name, count in found.deciding.counts.items())
    if result.weights:
        yield "weights", result.weights.value


def _attempts(found: CellDetail) -> Iterator[tuple[Entry, ...]]:
    for attempt in found.attempts:
        flags = ["decides"] * attempt.decides + ["worker lost"] * attempt.lost
        real = attempt.inference is Inference.REAL
        yield (
            (str(attempt.number), " ", Soft(", ".join(flags))),
            attempt.worker,
            when(attempt.started_at),
            attempt.inference.value,
            milliseconds(attempt.duration_ms) if real else "–",
            f"{attempt.peak_rss_bytes / 2**20:.0f} MiB" if attempt.peak_rss_bytes and real else "–",
            spread((f"{answer.check} {answer.outcome}" for answer in attempt.results), 8),
        )


def _texts(found: CellDetail) -> Iterator[Block]:
    last = found.attempts[-1] if found.attempts else None
    if last is not None:
        if last.log_tail:
            yield Text("End of the log", last.log_tail, open=found.outcome is not Outcome.PASS)
        yield Text("Time by stage, in ms", json.dumps(last.stages_ms, indent=1))
    if found.recipe is not None:
        yield Text("Recipe", msgspec.json.format(msgspec.json.encode(found.recipe), indent=1).decode())
    if found.environment is not None:
        yield Text("Environment", msgspec.json.format(msgspec.json.encode(found.environment), indent=1).decode())
    yield note(Link("The whole run", to("matrix", run=found.run_id)))
