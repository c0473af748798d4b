"""Blocks as Dash components. Texts of models are children of elements, never markup, so that they stay text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never
from urllib.parse import urlencode

from dash import dcc, html

from modelmuster.pages import rows
from modelmuster.pages.blocks import (
    Bar,
    Block,
    Chart,
    Choice,
    Code,
    Command,
    Entry,
    Facts,
    Heading,
    Link,
    Mark,
    Note,
    Page,
    Piece,
    Place,
    Soft,
    Table,
    Text,
    Tiles,
    to,
)  # fmt: skip
from modelmuster.pages.matrix_page import Grid
from modelmuster.pages.words import number, of_cell, of_model
from modelmuster.records import Outcome
from modelmuster.report.html import MARKS, MEANINGS, bars, word
from modelmuster.report.pieces import classes
from modelmuster.views.matrix import Column, MatrixCell
from modelmuster.views.rates import Tally
from modelmuster.views.words import WORDS

FIND, SORT, TABLE = "find", "sort-", "table"
"""Keys of an address: words that rows have to hold; in front of a table's name, the column that it is sorted by; the
table that is taken away as a file."""

ROWS = 600
"""Rows of a table that are sent to the browser at once; a filter brings the others."""


def address(place: Place) -> str:
    """Where a place is in this application."""
    path = "/" if place.page == "overview" else f"/{place.page}"
    return f"{path}?{urlencode(place.query)}" if place.query else path


def blocks(page: Page, asked: Mapping[str, str]) -> list[Any]:
    """A page's blocks, its tables narrowed and sorted as the address asks."""
    return [_block(it, page.name, asked) for it in page.blocks]


def chosen(table: Table, asked: Mapping[str, str]) -> list[tuple[Entry, ...]]:
    """The rows of a table that an address asks for, in the order that it asks for."""
    return rows.ranked(table, rows.found(table.rows, asked.get(FIND, "").lower().split()), _order(table, asked))


def note(it: Note) -> Any:
    """A paragraph."""
    return html.P([_piece(part) for part in it.pieces])


def choice(it: Choice) -> Any:
    """Something to choose, as a control whose value becomes part of the address."""
    name = {"type": "choice", "name": it.name}
    control: Any
    if it.options:
        options = [{"value": value, "label": words or "–"} for value, words in it.options]
        control = dcc.Dropdown(id=name, options=options, value=it.value, clearable=False)
    else:
        control = dcc.Input(
            id=name, type="search", value=it.value, placeholder=it.hint, debounce=True, autoComplete="off"
        )
    return html.Label([html.Span(it.label), control], className="grow" if not it.options else "pick")


def matrix(grid: Grid) -> list[Any]:
    """The matrix: a cell is a link with the letter of its outcome, its words for screen readers, and its reason."""
    found = grid.matrix
    if not found.columns:
        return [html.P("Nothing was planned in this run.", className="soft")]
    heads = [html.Th("Architecture", scope="col"), *(html.Th(_column(column), scope="col") for column in found.columns)]
    sums = html.Tr(
        [html.Th("All", scope="row"), *(html.Td(_counts(column.tally)) for column in found.columns)], className="sum"
    )
    bodies = []
    for group in found.families:
        shown = grid.rows.get(group.family, ())
        if not shown:
            continue
        size = f"{len(shown)} of {len(group.rows)}" if len(shown) < len(group.rows) else str(len(shown))
        first = html.Th([html.B(group.family.value), " ", html.Small(size)], scope="rowgroup")
        lines = [html.Tr([first, *(html.Td(_counts(tally)) for tally in group.tallies)], className="g")]
        for row in shown:
            name = dcc.Link(row.model_type, href=address(of_model(found.run_id, row.model_type)))
            cells = [
                _cell(found.run_id, row.model_type, column, cell)
                for column, cell in zip(found.columns, row.cells, strict=True)
            ]
            lines.append(html.Tr([html.Th(name, scope="row"), *cells]))
        bodies.append(html.Tbody(lines))
    table = html.Table([html.Thead([html.Tr(heads), sums]), *bodies], id="grid")
    said = (
        f"{number(grid.shown)} of {number(grid.planned)} architectures; counts in heads are of all results chosen: "
        "passed / decided."
    )
    return [
        html.P(said, className="soft", id="grid-shown"),
        _legend(grid),
        html.Section(html.Div(table, className="scroll"), id="matrix"),
        *([] if grid.shown else [html.P("No architecture fits these choices.", className="soft", id="grid-none")]),
    ]


def _legend(grid: Grid) -> Any:
    """What the letters mean that are shown, and what a corner and a frame add to them."""
    every = [cell for group in grid.rows.values() for row in group for cell in row.cells if cell is not None]
    seen = {cell.outcome for cell in every if not cell.mock}
    marks = [(Mark(outcome), MEANINGS[outcome]) for outcome in Outcome if outcome in seen]
    if any(cell.mock for cell in every):
        marks.append((Mark(Outcome.NOT_RUN, mock=True), WORDS["mock"]))
    if any(cell.expected for cell in every):
        marks.append((Mark(Outcome.FAIL, expected=True), WORDS["expected"]))
    if any(cell.flaky for cell in every):
        marks.append((Mark(Outcome.PASS, flaky=True), WORDS["flaky"]))
    return html.P(
        [html.Span([_letter(mark), f" {mark.word.rpartition(', ')[2]}"], title=meaning) for mark, meaning in marks],
        className="legend soft",
        id="legend",
    )


def _letter(it: Mark) -> Any:
    return html.Span("~" if it.mock else it.outcome.letter, className=classes(it), **{"aria-hidden": "true"})


def _column(column: Column) -> list[Any]:
    ran = column.inference.label if column.inference else "nothing ran"
    emulated = column.device_kind is not None and column.device_kind.value == "software-emulated"
    return [html.Span(column.label), html.Small(f"{ran}{', emulated' if emulated else ''}")]


def _counts(tally: Tally) -> Any:
    if tally.decided:
        return [number(tally.passed), html.Small(f"/{number(tally.decided)}")]
    return html.Small("mock" if tally.mock else "–")


def _cell(run_id: str, name: str, column: Column, cell: MatrixCell | None) -> Any:
    if cell is None:
        return html.Td()
    mark = Mark(cell.outcome, cell.mock, cell.expected, cell.flaky)
    said = f"{name} on {column.label}: {mark.word}"
    reason = f"{said}; {cell.check}: {cell.message}" if cell.message else said
    letter = "~" if cell.mock else cell.outcome.letter
    link = dcc.Link(letter, href=address(of_cell(run_id, cell.cell_id)), title=reason, className="cell")
    css = classes(mark).removeprefix("mark ")
    return html.Td([link, html.Span(said, className="away")], className=css)


def _block(it: Block, page: str, asked: Mapping[str, str]) -> Any:
    match it:
        case Heading():
            return html.H2([it.text, *([] if it.count is None else [" ", html.Small(number(it.count))])])
        case Note():
            return note(it)
        case Tiles():
            return html.Dl(
                [
                    html.Div(
                        [
                            html.Dt(tile.label),
                            html.Dd([html.B(tile.number), f" {tile.of}"]),
                            html.Dd(tile.more, className="soft"),
                        ]
                    )
                    for tile in it.tiles
                ],
                className="tiles",
            )
        case Table():
            return _table(it, page, asked)
        case Facts():
            parts: list[Any] = []
            for term, what in it.pairs:
                parts += [html.Dt(term), html.Dd(_entry(what))]
            return html.Dl(parts, className="facts")
        case Text():
            return html.Details([html.Summary(it.title), html.Pre(it.text)], open=it.open)
        case Chart():
            graph = dcc.Graph(
                id=f"chart-{it.name}", figure=dict(it.figure), config={"displaylogo": False}, responsive=True
            )
            return html.Figure(
                [html.Div(graph, className="chart", role="img"), html.Figcaption(it.says, className="soft")]
            )
    assert_never(it)


def _table(it: Table, page: str, asked: Mapping[str, str]) -> Any:
    if not it.rows:
        return html.P(it.empty, className="soft")
    kept = chosen(it, asked)
    lines = [
        html.Tr(
            [
                html.Th(_entry(part), scope="row")
                if place == 0
                else html.Td(_entry(part), className="n" if it.heads[place].numeric else None)
                for place, part in enumerate(row)
            ]
        )
        for row in kept[:ROWS]
    ]
    heads = [head(it, place, page, asked) for place in range(len(it.heads))]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(lines)], className="plain", id=f"table-{it.name}")
    shown = f"{number(len(lines))} of {number(len(it.rows))} rows" if len(lines) < len(it.rows) else ""
    href = f"/download{address(to(page, **{**asked, TABLE: it.name}))}"
    file = html.A("CSV", href=href, download=f"{page}-{it.name}.csv")
    title = f"These {number(len(kept))} rows as a file"
    return html.Div(
        [
            html.Div(table, className="scroll"),
            html.P([shown, " ", html.Span(file, title=title)], className="soft below"),
        ]
    )


def head(it: Table, place: int, page: str, asked: Mapping[str, str]) -> Any:
    """A head whose link sorts by its column: upwards, then downwards, then as the page has it."""
    named, order = it.heads[place], _order(it, asked)
    upwards, downwards = str(place), f"{rows.DESCENDING}{place}"
    sort = {upwards: "ascending", downwards: "descending"}.get(order)
    following = {upwards: downwards, downwards: ""}.get(order, upwards)
    link = dcc.Link(named.text or "–", href=address(to(page, **{**asked, f"{SORT}{it.name}": following})))
    css = "n" if named.numeric else None
    return html.Th(link, scope="col", className=css, **({"aria-sort": sort} if sort else {}))


def _order(it: Table, asked: Mapping[str, str]) -> str:
    return asked.get(f"{SORT}{it.name}", "")


def _entry(it: Entry) -> Any:
    return [_piece(part) for part in it] if isinstance(it, tuple) else _piece(it)


def _piece(it: Piece) -> Any:
    match it:
        case str():
            return it
        case Mark():
            letter = "~" if it.mock else it.outcome.letter
            return html.Span([letter, html.Span(f" {it.word}", className="away")], className=classes(it), title=it.word)
        case Link():
            return dcc.Link(_piece(it.says), href=address(it.place))
        case Code():
            return html.Code(it.text)
        case Soft():
            return html.Small(it.text, className="soft")
        case Command():
            button = html.Button("Copy", type="button", **{"data-copy": "yes"})
            return html.Span([html.Code(it.text, className="command"), button], className="copy")
        case Bar():
            said = ", ".join(f"{count} {word(outcome)}" for outcome, count, _ in bars(it.tally))
            parts = [
                html.I(className=MARKS[outcome], style={"width": f"{width}%"}, title=f"{count} {word(outcome)}")
                for outcome, count, width in bars(it.tally)
            ]
            return html.Span(parts, className="bar", role="img", **{"aria-label": said})
    assert_never(it)
