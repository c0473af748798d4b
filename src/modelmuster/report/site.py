"""The static site: every page but the live ones as files that open from a folder and ask the network for nothing."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelmuster import __version__
from modelmuster.errors import UsageError
from modelmuster.pages import model_pages
from modelmuster.pages.blocks import Chart, Page, Place
from modelmuster.pages.routes import ROUTES
from modelmuster.report import html, pieces
from modelmuster.report.gather import gather
from modelmuster.report.model import Place as GridPlace
from modelmuster.report.model import ReportData
from modelmuster.store import Reader
from modelmuster.store.export import FORMATS, export
from modelmuster.views import runs
from modelmuster.views.model import models

MARKER = ".modelmuster-site"
"""The file by which a folder is known as a site of ours, which may be written over."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished site."""

    run_id: str
    pages: int
    files: int
    bytes: int
    largest_page: int
    seconds: float
    charts: bool
    """False where Plotly is not installed: charts are left out, and the pages say so."""


def write(reader: Reader, folder: Path, run: str = "latest") -> Written:
    """Write the site of a run, with the history that leads to it.

    Raises:
        UnknownName: there is no such run.
        UsageError: the folder holds something else, or cannot be written.
    """
    began = time.perf_counter()
    found = runs.find(reader, run)
    data = gather(reader, found.run_id)
    _claim(folder)
    site = _Site(folder, data, f"{reader.published_at:%Y-%m-%d %H:%M} UTC", charts=find_spec("plotly") is not None)
    try:
        site.assets()
        list(export(reader, found.key, folder / "data"))
        (folder / "matrix.html").write_text(html.render(data, nav=site.nav("matrix", "")).html, encoding="utf-8")
        for route in ROUTES.values():
            if route.listed:
                site.page(route.page(reader, {"run": found.run_id}))
        for model in models(reader, found.run_id):
            site.page(model_pages.of(model))
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error
    every = [path for path in folder.rglob("*") if path.is_file()]
    pages = [path.stat().st_size for path in every if path.suffix == ".html"]
    return Written(
        run_id=found.run_id,
        pages=len(pages),
        files=len(every),
        bytes=sum(path.stat().st_size for path in every),
        largest_page=max(pages),
        seconds=time.perf_counter() - began,
        charts=site.charts,
    )


def slug(name: str) -> str:
    """The name of an architecture as that of a file; one that no file should have gets a mark of its own."""
    if re.fullmatch(r"[a-zA-Z0-9][\w.-]{0,100}", name, re.ASCII):
        return name
    return f"type-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


class _Site:
    """Pages of one run on their way to a folder."""

    def __init__(self, folder: Path, data: ReportData, published: str, *, charts: bool) -> None:
        self.folder, self.data, self.published, self.charts = folder, data, published, charts
        self.cells = dict(_cell_links(data))
        self.layouts: dict[str, Any] = {}
        self.templates = html.templates()
        self.template = self.templates.get_template("site/page.html.j2")

    def assets(self) -> None:
        """Style, script and Plotly, once for all pages."""
        target = self.folder / "assets"
        target.mkdir(parents=True, exist_ok=True)
        (target / "site.css").write_text(html.stylesheet(), encoding="utf-8")
        (target / "site.js").write_text(html.asset("site.js"), encoding="utf-8")
        if self.charts:
            with (target / "plotly.min.js").open("wb") as file:
                file.write((files("plotly") / "package_data" / "plotly.min.js").read_bytes())
        for name in ("data", "models"):
            (self.folder / name).mkdir(exist_ok=True)

    def page(self, page: Page) -> None:
        """Write one page."""
        below = page.name == "model"
        root = "../" if below else ""
        name = f"models/{slug(page.title)}" if below else _file(page.name)
        text = self.template.render(
            page=page,
            page_has_chart=any(isinstance(block, Chart) for block in page.blocks),
            charts=self.charts,
            root=root,
            layout=self._layout(root),
            nav=self.nav(page.name, root),
            published=self.published,
            version=__version__,
            data_files=tuple(FORMATS),
        )
        (self.folder / f"{name}.html").write_text(text, encoding="utf-8")

    def _layout(self, root: str) -> Any:
        """The macros for blocks, with links that begin in the folder that the page lies in."""
        if root not in self.layouts:
            environment = self.templates.overlay()
            environment.filters = environment.filters | {
                "entry": lambda it: pieces.entry(it, lambda place: self.address(place, root)),
                "key": pieces.key,
                "kind": lambda it: type(it).__name__,
            }
            template = environment.get_template("site/blocks.html.j2")
            self.layouts[root] = template.make_module({"charts": self.charts})
        return self.layouts[root]

    def nav(self, here: str, root: str) -> str:
        """Links to every page that is not about one thing."""
        listed = [(route.name, route.title) for route in ROUTES.values() if route.listed]
        listed.insert(1, ("matrix", "Matrix"))
        links = [(title, f"{root}{_file(name)}.html", name == here) for name, title in listed]
        return _safe(self.templates.get_template("site/nav.html.j2").render(links=links))

    def address(self, place: Place, root: str) -> str | None:
        """Where a place is in this site; None where it is of another run, which this site does not have."""
        query = dict(place.query)
        if query.get("run", self.data.run_id) != self.data.run_id or place.page == "compare":
            return None
        match place.page:
            case "model":
                return f"{root}models/{slug(query['name'])}.html"
            case "cell":
                link = self.cells.get(query["id"])
                return None if link is None else f"{root}matrix.html#cell={quote(link, safe='')}"
            case name:
                return f"{root}{_file(name)}.html"


def _file(page: str) -> str:
    return "index" if page == "overview" else page


def _safe(markup: str) -> str:
    from markupsafe import Markup

    return Markup(markup)  # noqa: S704 - the output of a template with autoescape


def _cell_links(data: ReportData) -> Iterable[tuple[str, str]]:
    for row in data.rows:
        for column, cell in zip(data.columns, row.cells, strict=True):
            if cell is not None:
                yield cell.cell.id, GridPlace(row.key, column).link


def _claim(folder: Path) -> None:
    """Make the folder, or empty what an earlier site left in it; never anything else."""
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / MARKER).exists():
                raise UsageError(
                    f"{folder} holds something else than a site of this command",
                    hint="choose a new or empty folder: muster report --site DIR",
                )
            for name in ("models", "data", "assets"):
                shutil.rmtree(folder / name, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(f"written by modelmuster {__version__}\n", encoding="utf-8")
        # GitHub Pages would otherwise run the folder through a generator of its own.
        (folder / ".nojekyll").touch()
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from error
