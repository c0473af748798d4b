"""A real headless Chromium and a report on disk; where there is no browser, these tests are skipped by name."""

from __future__ import annotations

import os
import shutil

import msgspec
import pytest

from modelmuster import store
from modelmuster.report import html
from modelmuster.report.assemble import assemble
from modelmuster.report.site import write
from modelmuster.settings import Home
from synthetic_run import TARGETS, synthetic_run, write_folder

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Where the browser is: `$MUSTER_CHROMIUM`, or what distributions call it."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("MUSTER_CHROMIUM") or next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here: install Debian's package chromium, or set MUSTER_CHROMIUM to the executable")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def data():
    plan, records, environment = synthetic_run(60, targets=TARGETS)
    return assemble(plan, records, environment, version="0", questions={"forward": "Does it run?"})


@pytest.fixture(scope="session")
def address(data, tmp_path_factory):
    """The report as a file in a folder with a space in its name."""
    path = tmp_path_factory.mktemp("a report") / "report.html"
    path.write_text(html.render(data).html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="session")
def long_home(tmp_path_factory):
    """A store with three runs of twenty-four architectures, hostile names among them."""
    home = Home(tmp_path_factory.mktemp("history"))
    plan, records, environment = synthetic_run(24, targets=TARGETS)
    for day in (1, 2, 3):
        run_id = f"2026110{day}-190501-0000"
        write_folder(
            home,
            msgspec.structs.replace(plan, run_id=run_id, created_at=f"2026-11-0{day}T19:05:01+00:00"),
            [msgspec.structs.replace(record, run_id=run_id) for record in records],
            environment,
        )
    store.ingest(home)
    return home


@pytest.fixture(scope="session")
def site(long_home, tmp_path_factory):
    """The static site in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("a site")
    with store.reader(long_home) as reader:
        write(reader, folder)
    return folder


@pytest.fixture
def visit(browser):
    """Opens any address; afterwards nothing may have gone wrong, nor anything else been fetched than from its place."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    watched = Watched(page)
    places: set[str] = set()

    def at(address: str, root: str, ready: str = "body[data-ready]"):
        places.add(root)
        page.goto("about:blank")
        page.goto(address)
        page.wait_for_selector(ready)
        return page

    yield at
    context.close()
    assert watched.complaints == []
    fetched = {url for url in watched.requests if not url.startswith(("data:", "blob:", "about:"))}
    assert all(url.startswith(tuple(places)) for url in fetched), fetched


class Watched:
    """What a page complained about and asked for."""

    def __init__(self, page):
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def opened(browser, address):
    """Opens the report at a place, such as `#family=vision`; afterwards nothing may have gone wrong or been fetched."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    watched = Watched(page)

    def open_at(place: str = ""):
        page.goto("about:blank")
        page.goto(address + place)
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_at
    context.close()
    assert watched.complaints == []
    assert {url.partition("#")[0].partition("?")[0] for url in watched.requests} <= {address, "data:,", "about:blank"}
