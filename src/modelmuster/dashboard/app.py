"""The application: an address goes in, a page comes out. The address is the whole state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import dash
from dash import ALL, Input, Output, State, dcc, html, no_update
from flask import Response

from modelmuster.dashboard import downloads, guard, layout
from modelmuster.dashboard.snapshots import Snapshots
from modelmuster.errors import MusterError, UnknownName
from modelmuster.pages import matrix_page
from modelmuster.pages.blocks import Choice, Entry, Page, Table, to
from modelmuster.pages.live_page import live
from modelmuster.pages.notices import noticed, notices
from modelmuster.pages.routes import ROUTES
from modelmuster.pages.run_pages import workers
from modelmuster.report.html import stylesheet
from modelmuster.runs import folders, status
from modelmuster.settings import Home
from modelmuster.store import Reader
from modelmuster.store.export import FORMATS
from modelmuster.views import runs
from modelmuster.views.live import LiveRuns

EVERY_S = 2.0
"""How often an open page asks whether there is something new."""

LISTED_RUNS = 100

_MOVING = frozenset({"live", "workers"})
"""Pages that change without a new snapshot."""

_SHELL = """<!doctype html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def make(home: Home, *, host: str = "127.0.0.1", token: str | None = None) -> dash.Dash:
    """The application over the snapshots of a home."""
    app = dash.Dash(
        "modelmuster.dashboard",
        assets_folder="assets",
        title="modelmuster",
        update_title="",
        suppress_callback_exceptions=True,
        index_string=_SHELL,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
    )
    guard.install(app.server, host, token)
    app.server.add_url_rule("/style.css", "style", lambda: Response(stylesheet(), mimetype="text/css"))
    app.layout = _frame()
    pages = Pages(home)
    downloads.install(app.server, pages)
    _connect(app, pages)
    return app


class Pages:
    """Pages made from addresses; every error that a reader can cause becomes a page that says what to type."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.snapshots = Snapshots(home)
        self.running = LiveRuns(home)

    def show(self, path: str, search: str) -> tuple[Any, ...]:
        """Title, navigation, choices and content for an address."""
        name, asked = read(path, search)
        try:
            return self._made(name, asked)
        except MusterError as error:
            said = [html.P(error.message), *([html.P(html.Code(error.hint))] if error.hint else [])]
            return "What is the case", _nav(name), [], html.Div(said, role="alert", id="problem")

    def _made(self, name: str, asked: Mapping[str, str]) -> tuple[Any, ...]:
        if name == "live":
            return _laid(live(self.running), asked, [], "")
        with self.snapshots.reader() as reader:
            late = (
                "Newer results are in the run folders, and not published yet: muster db ingest"
                if self.snapshots.behind(reader)
                else ""
            )
            if name == "matrix":
                grid = matrix_page.grid(reader, asked)
                choices = [_which_run(reader, asked), *grid.choices]
                content = [
                    *_note(late),
                    *map(layout.note, notices(reader, grid.matrix.run_id)),
                    *layout.matrix(grid),
                    *_permalinks(name, asked, grid.matrix.run_id),
                ]
                return f"Matrix of {grid.matrix.run_id}", _nav(name), list(map(layout.choice, choices)), content
            page = self._page(reader, name, asked)
            choices = [_which_run(reader, asked)] if page.run_id and name not in {"cell", "compare"} else []
            return _laid(page, asked, choices, late)

    def table(self, path: str, search: str) -> tuple[Table, list[tuple[Entry, ...]]]:
        """A table of a page with the rows that an address asks for.

        Raises:
            MusterError: what keeps the page from being made.
            UnknownName: it has no such table.
        """
        name, asked = read(path, search)
        if name == "live":
            page = live(self.running)
        else:
            with self.snapshots.reader() as reader:
                page = self._page(reader, name, asked)
        known = {block.name: block for block in page.blocks if isinstance(block, Table)}
        wanted = asked.get(layout.TABLE, "")
        if wanted not in known:
            raise UnknownName("table", wanted, known, see=f"the page {name}")
        return known[wanted], layout.chosen(known[wanted], asked)

    def _page(self, reader: Reader, name: str, asked: Mapping[str, str]) -> Page:
        if name == "workers":
            run = runs.find(reader, asked.get("run") or "latest")
            look = status.read(folders.open_run(self.home, run.run_id).status)
            return noticed(reader, workers(reader, run.run_id, look))
        if name not in ROUTES:
            raise UnknownName("page", name, ROUTES, see="the links above")
        return ROUTES[name].page(reader, asked)


def read(path: str, search: str) -> tuple[str, dict[str, str]]:
    """The page and its query that an address means."""
    return path.strip("/") or "overview", dict(parse_qsl(search.lstrip("?")))


def _frame() -> Any:
    return html.Div(
        [
            dcc.Location(id="address", refresh=False),
            dcc.Interval(id="tick", interval=EVERY_S * 1000),
            dcc.Store(id="shown"),
            dcc.Store(id="chosen"),
            dcc.Store(id="news"),
            html.A("Skip to the content", href="#main", className="skip"),
            html.Header(
                [
                    html.H1(["modelmuster ", html.Span(id="title")]),
                    html.Nav(id="nav", className="pages", **{"aria-label": "Pages"}),
                    html.Form(html.Div(id="choices", className="controls"), role="search"),
                ]
            ),
            html.Main(id="main", tabIndex="-1"),
        ]
    )


def _connect(app: dash.Dash, pages: Pages) -> None:
    def look(ticks: int | None, path: str | None, news: str | None) -> Any:
        # Apart from `show`: a tick during a slow answer would otherwise make the browser drop that answer.
        name, _asked = read(path or "/", "")
        found = f"{pages.snapshots.stamp()} {ticks if name in _MOVING else ''}"
        return no_update if found == news else found

    def show(
        path: str | None, search: str | None, news: str | None, shown: dict[str, str] | None, chosen: list[str] | None
    ) -> Any:
        here, before = f"{path}{search or ''}", shown or {}
        stamp = pages.snapshots.stamp()
        same = before.get("address") == here
        if same and before.get("stamp") == stamp and news == f"{stamp} ":
            raise dash.exceptions.PreventUpdate
        title, nav, choices, content = pages.show(path or "/", search or "")
        # Controls that already say what the address says stay as they are, and with them the focus.
        kept = same or chosen == [before.get("address"), here]
        return title, nav, no_update if kept else choices, content, {"stamp": stamp, "address": here}

    def choose(
        values: list[str | None],
        names: list[dict[str, str]],
        path: str | None,
        search: str | None,
    ) -> tuple[Any, Any]:
        asked = dict(parse_qsl((search or "").lstrip("?")))
        chosen = asked | {name["name"]: value or "" for name, value in zip(names, values, strict=True)}
        kept = {name: value for name, value in chosen.items() if value}
        if kept == asked or not names:
            return no_update, no_update
        fresh = f"?{urlencode(kept)}" if kept else ""
        return fresh, [f"{path}{search or ''}", f"{path}{fresh}"]

    app.callback(
        Output("news", "data"),
        Input("tick", "n_intervals"),
        State("address", "pathname"),
        State("news", "data"),
        prevent_initial_call=True,
    )(look)
    app.callback(
        Output("title", "children"),
        Output("nav", "children"),
        Output("choices", "children"),
        Output("main", "children"),
        Output("shown", "data"),
        Input("address", "pathname"),
        Input("address", "search"),
        Input("news", "data"),
        State("shown", "data"),
        State("chosen", "data"),
    )(show)
    app.callback(
        Output("address", "search"),
        Output("chosen", "data"),
        Input({"type": "choice", "name": ALL}, "value"),
        State({"type": "choice", "name": ALL}, "id"),
        State("address", "pathname"),
        State("address", "search"),
        prevent_initial_call=True,
    )(choose)


def _laid(page: Page, asked: Mapping[str, str], choices: list[Choice], late: str) -> tuple[Any, ...]:
    find = Choice(layout.FIND, "Find in tables", value=asked.get(layout.FIND, ""), hint="words, ! excludes")
    content = [
        html.P(page.question, className="soft"),
        *_note(late),
        *layout.blocks(page, asked),
        *_permalinks(page.name, asked, page.run_id),
    ]
    return page.title, _nav(page.name), list(map(layout.choice, [*choices, *page.choices, find])), content


def _note(text: str) -> list[Any]:
    return [html.P(text, className="soft")] if text else []


def _nav(here: str) -> list[Any]:
    listed = [(route.name, route.title) for route in ROUTES.values() if route.listed]
    listed.insert(1, ("matrix", "Matrix"))
    listed.append(("live", "Live"))
    links: list[Any] = []
    for name, title in listed:
        current = {"aria-current": "page"} if name == here else {}
        links.append(html.Span(dcc.Link(title, href=layout.address(to(name))), **current))
    return links


def _which_run(reader: Reader, asked: Mapping[str, str]) -> Choice:
    known = [row.run_id for row in runs.runs(reader, LISTED_RUNS)]
    options = (("", "the latest"), *((run_id, run_id) for run_id in known))
    return Choice("run", "Run", options, asked.get("run", ""))


def _permalinks(name: str, asked: Mapping[str, str], run_id: str) -> list[Any]:
    """Two addresses of what is shown: of this very run, and of whichever run is the latest."""
    if not run_id:
        return []
    latest = {key: value for key, value in asked.items() if key != "run"}
    links = [dcc.Link("this very run", href=layout.address(to(name, **(latest | {"run": run_id}))))]
    if name != "cell":
        links += [" · ", dcc.Link("the latest run, whichever it is", href=layout.address(to(name, **latest)))]
    files: list[Any] = []
    for file in FORMATS:
        files += [", " if files else " ", html.A(file, href=f"/data/{quote(run_id)}/{file}", download=file)]
    said = ["Address of this page for ", *links, ". Every result of the run:", *files, "."]
    return [html.P(said, className="soft permalinks")]
