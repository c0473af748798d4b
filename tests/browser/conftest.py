"""A real headless Chromium and a report on disk; where there is no browser, these tests are skipped by name."""

from __future__ import annotations

import os
import shutil

import pytest

from modelmuster.report import html
from modelmuster.report.assemble import assemble
from synthetic_run import TARGETS, synthetic_run

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
