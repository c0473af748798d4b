"""The Dash application in a real browser; `visit` asserts that it complained of nothing, and stayed at its place."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modelmuster import store
from modelmuster.dashboard.guard import token_for
from modelmuster.dashboard.serving import listen
from modelmuster.settings import Home
from run_folders import make_cell, write_run
from synthetic_run import HOSTILE_NAME, HOSTILE_TEXT

pytestmark = pytest.mark.browser

READY = "#title:not(:empty)"
PAGES = (
    "",
    "matrix",
    "coverage",
    "hardware",
    "performance",
    "history",
    "runs",
    "workers",
    "honesty",
    "dependencies",
    "live",
)


def served(home, token=None):
    server = listen(home, host="127.0.0.1", port=0, token=token)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def server(long_home):
    opened = served(long_home)
    yield opened
    opened.shutdown()


@pytest.fixture
def opened(visit, server):
    root = f"http://127.0.0.1:{server.port}"
    return lambda path="": visit(f"{root}/{path}", root, READY)


def names(page):
    return page.locator("#grid tbody tr:not(.g) th").all_inner_texts()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_renders_and_never_scrolls_sideways(opened, path):
    page = opened(path)
    page.wait_for_selector("#main > *")
    assert page.locator("#problem").count() == 0
    assert page.locator("nav.pages a").count() == len(PAGES)
    for width, scheme in ((390, "dark"), (1400, "light")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")
        white = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert white is (scheme == "light")


def test_a_filter_changes_rows_and_address_and_the_address_restores_it(opened):
    page = opened("matrix")
    page.wait_for_selector("#grid")
    page.wait_for_load_state("networkidle")
    assert page.locator("#grid tbody tr:not(.g)").count() == 24
    page.fill("#choices input[type=search]", "family:vision !bloom")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#grid tbody tr:not(.g)').length < 24")
    page.wait_for_function("location.search.includes('q=')")
    assert page.evaluate("document.activeElement.type") == "search"
    shown, place = names(page), page.evaluate("location.search")
    assert shown
    assert "bloom" not in shown
    again = opened(f"matrix{place}")
    again.wait_for_selector("#grid")
    assert names(again) == shown
    assert again.input_value("#choices input[type=search]") == "family:vision !bloom"


def test_a_word_that_no_name_matches_is_answered_with_what_to_type(opened):
    page = opened("matrix?q=brt")
    page.wait_for_selector("#problem")
    assert "did you mean: bert" in page.locator("#problem").inner_text()


def test_the_keyboard_reaches_a_cell_and_opens_it(opened):
    page = opened("matrix")
    page.wait_for_selector("#grid a.cell")
    page.locator("#grid a.cell").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    title = page.evaluate("document.activeElement.title")
    assert "onnxruntime:cpu" in title
    page.keyboard.press("Enter")
    page.wait_for_function("location.pathname === '/cell'")
    page.wait_for_selector("#table-checks")
    assert page.locator("#title").inner_text().split()[0] == title.split()[0]
    assert page.locator("#main .command").inner_text().startswith("muster run ")


def test_a_run_an_architecture_and_two_targets_can_be_drilled_into(opened):
    page = opened("runs")
    page.locator("#table-runs tbody a", has_text="workers").first.click()
    page.wait_for_selector("#table-machines")
    page = opened("model?name=bert")
    page.wait_for_selector("#table-past")
    assert page.locator("#table-past tbody tr").first.locator(".mark").count() == 3
    page = opened("hardware?a=torch:cpu&b=onnxruntime:cpu")
    page.wait_for_selector("#table-versus")
    assert "Times are not compared: tiny models" in page.locator("#main").inner_text()
    page = opened("compare?old=20261101-190501-0000&new=20261103-190501-0000")
    page.wait_for_selector("text=Marks that turned")


def test_words_narrow_the_tables_of_any_page(opened):
    page = opened("coverage?find=vision")
    page.wait_for_selector("#table-families")
    assert set(page.locator("#table-families tbody th").all_inner_texts()) == {"vision", "vision-text"}


def test_a_head_sorts_by_click_and_by_key_and_the_address_restores_it(opened):
    page = opened("coverage")
    head = page.locator("#table-families thead th").nth(3)
    head.locator("a").click()
    page.wait_for_selector("#table-families th[aria-sort=ascending]")
    head.locator("a").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#table-families th[aria-sort=descending]")
    rates = page.locator("#table-families tbody td:nth-child(4)")
    shown = [float(text.removesuffix(" %")) for text in rates.all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    again = opened(f"coverage{page.evaluate('location.search')}")
    again.wait_for_selector("#table-families th[aria-sort=descending]")
    assert [float(text.removesuffix(" %")) for text in rates.all_inner_texts()] == shown


def test_a_table_is_taken_away_as_it_is_shown(opened):
    page = opened("coverage?find=vision")
    page.wait_for_selector("#table-families")
    with page.expect_download() as started:
        page.locator("#table-families").locator("xpath=../..").locator("a[download]").click()
    assert started.value.suggested_filename == "coverage-families.csv"
    lines = Path(started.value.path()).read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["family", "vision", "vision-text"]


def test_the_letters_of_the_matrix_are_explained(opened):
    page = opened("matrix")
    page.wait_for_selector("#legend")
    letters = set(page.locator("#grid a.cell").all_inner_texts())
    assert letters <= set(page.locator("#legend .mark").all_inner_texts())


@pytest.mark.parametrize("path", ["runs", "coverage", "model?name=bert", "workers", "history"])
def test_on_a_phone_words_stay_whole_and_tables_scroll(opened, path):
    page = opened(path)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_selector("#main table.plain tbody th")
    narrow = "cells => cells.filter(cell => cell.offsetWidth < 100 && cell.textContent.length > 12).length"
    assert page.locator("#main table.plain tbody th").evaluate_all(narrow) == 0
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_charts_are_drawn(opened):
    for path, chart in (("performance", "by-size"), ("history", "levels")):
        page = opened(path)
        page.wait_for_selector(f"#chart-{chart} svg .trace, #chart-{chart} svg .barlayer path")
        assert page.locator(f"#chart-{chart} svg .legendtext").count() >= 2


def test_hostile_names_and_texts_stay_text(opened):
    page = opened("matrix")
    page.locator("#grid th a", has_text="<img").click()
    page.wait_for_function("location.pathname === '/model'")
    page.wait_for_selector("#table-cells")
    assert page.locator("#title").inner_text() == HOSTILE_NAME
    assert HOSTILE_TEXT in page.locator("#table-cells").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("#main b", has_text="bold").count() == 0
    assert page.title() == "modelmuster"


def test_a_new_snapshot_is_shown_without_a_reload(visit, long_home, tmp_path):
    home = Home(tmp_path / "muster")
    shutil.copytree(long_home.root, home.root)
    server = served(home)
    root = f"http://127.0.0.1:{server.port}"
    page = visit(f"{root}/runs", root, READY)
    page.wait_for_selector("#table-runs")
    assert page.locator("#table-runs tbody tr").count() == 3
    write_run(home, "20261104-000000-0000", [make_cell("bert")], created_at="2026-11-04T00:00:00+00:00")
    store.ingest(home)
    page.wait_for_function("document.querySelectorAll('#table-runs tbody tr').length === 4")
    server.shutdown()


def test_a_running_sweep_is_seen_growing_and_then_ending(visit, tmp_path):
    """A real run, looked at from its beginning to its end without a reload."""
    home = Home(tmp_path / "muster")
    home.create()
    server = served(home)
    root = f"http://127.0.0.1:{server.port}"
    page = visit(f"{root}/live", root, READY)
    page.wait_for_selector("text=Nothing runs at this moment")
    arguments = "run bert gpt2 vit t5 --target torch:cpu --check forward --jobs 1 --no-progress"
    run = subprocess.Popen(
        [sys.executable, "-m", "modelmuster", *arguments.split()],
        env={**os.environ, "MUSTER_HOME": str(home.root)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    page.set_default_timeout(120_000)
    page.wait_for_selector("#table-targets tbody tr")
    page.wait_for_selector("text=of 4 planned")
    page.wait_for_selector("text=Nothing runs at this moment")
    assert run.wait(120) == 0
    page.goto(f"{root}/runs")
    page.wait_for_selector("#table-runs tbody tr")
    assert "4 / 4" in page.locator("#table-runs tbody tr").inner_text()
    server.shutdown()


def test_a_browser_without_the_token_sees_nothing(browser, long_home):
    token = token_for("0.0.0.0", None)
    server = served(long_home, token)
    root = f"http://127.0.0.1:{server.port}"
    context = browser.new_context()
    page = context.new_page()
    assert page.goto(f"{root}/").status == 401
    assert page.goto(f"{root}/?token=wrong-{token}").status == 401
    page.goto(f"{root}/?token={token}")
    page.wait_for_selector(READY)
    assert "token" not in page.url
    assert page.goto(f"{root}/matrix").status == 200
    context.close()
    server.shutdown()


def test_going_back_brings_back_the_controls_too(opened):
    page = opened("coverage?find=vision")
    page.wait_for_selector("#table-families")
    page.locator("nav.pages a", has_text="Runs").click()
    page.wait_for_selector("#table-runs")
    page.go_back()
    page.wait_for_selector("#table-families")
    page.wait_for_function("document.querySelector('#choices input[type=search]')?.value === 'vision'")
    assert page.locator("#choices label").first.inner_text().startswith("Run")
