"""The static site in a real browser, from files; `visit` asserts that it fetched and complained of nothing."""

import json

import pytest

from modelmuster.report.site import slug
from synthetic_run import HOSTILE_NAME, HOSTILE_TEXT

pytestmark = pytest.mark.browser

PAGES = ("index", "coverage", "hardware", "performance", "history", "runs", "workers", "honesty", "dependencies")
MODEL = f"models/{slug(HOSTILE_NAME)}"


@pytest.fixture
def opened(visit, site):
    root = site.as_uri()
    return lambda name, place="": visit(f"{root}/{name}.html{place}", root)


@pytest.mark.parametrize("name", [*PAGES, "models/bert", MODEL, "matrix"])
def test_every_page_renders_and_never_scrolls_sideways(opened, name):
    page = opened(name)
    assert page.locator("h1").inner_text().startswith("modelmuster")
    assert page.locator("nav.pages a").count() == len(PAGES) + 1
    assert page.locator("main table, main .tiles").count() > 0
    assert page.locator("img").count() == 0
    for width, scheme in ((390, "dark"), (1400, "light")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)") is (
            scheme == "light"
        )


@pytest.mark.parametrize(("name", "chart"), [("performance", "by-size"), ("history", "levels")])
def test_charts_are_drawn_and_say_in_words_what_they_show(opened, name, chart):
    page = opened(name)
    page.wait_for_selector(f"#{chart} svg .trace, #{chart} svg .barlayer path")
    assert page.locator(f"#{chart}").get_attribute("aria-label")


def test_a_filter_changes_what_is_shown_and_the_address_restores_it(opened, site):
    page = opened("coverage")
    rows = "#families tbody tr:not([hidden])"
    assert page.locator(rows).count() == 11
    page.keyboard.press("/")
    page.keyboard.type("vision !text")
    assert page.locator(rows).locator("th").all_inner_texts() == ["vision"]
    place = page.evaluate("location.hash")
    again = opened("coverage", place)
    assert again.locator(rows).locator("th").all_inner_texts() == ["vision"]
    assert again.input_value("[data-filter=families]") == "vision !text"


def test_a_column_sorts_by_click_and_by_key_and_the_address_restores_it(opened):
    page = opened("coverage")
    head = page.locator("#families thead th").nth(2)
    head.click()
    head.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    numbers = [int(text.split("/")[0]) for text in page.locator("#families tbody td:nth-child(3)").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    place = page.evaluate("location.hash")
    again = opened("coverage", place)
    assert again.locator("#families thead th").nth(2).get_attribute("aria-sort") == "descending"


def test_the_keyboard_reaches_a_cell_and_enter_opens_its_details(opened):
    page = opened("models/bert")
    page.locator("#cells tbody a").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel:not([hidden])")
    assert page.locator("#panel h2").inner_text().startswith("bert")
    assert "onnxruntime:cpu" in page.locator("#reproduce").inner_text()


def test_a_command_is_copied(opened):
    page = opened("models/bert")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#cells [data-copy]").first.click()
    page.wait_for_selector("button:has-text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#cells .command").first.inner_text()


def test_hostile_names_and_texts_stay_text_on_their_own_page(opened):
    page = opened(MODEL)
    assert page.locator("h1 span").inner_text() == HOSTILE_NAME
    assert HOSTILE_TEXT in page.locator("#cells").inner_text()
    assert page.title() == f"modelmuster · {HOSTILE_NAME}"
    page.locator("nav.pages a", has_text="Matrix").click()
    page.wait_for_selector("body[data-ready]")
    assert "matrix.html" in page.url


def test_the_data_of_the_run_can_be_taken_along(site):
    rows = json.loads((site / "data" / "results.json").read_text())
    assert {row["run_id"] for row in rows} == {"20261103-190501-0000"}
    assert len(rows) == len((site / "data" / "results.csv").read_text().split("20261103-190501-0000,")) - 1
    assert (site / "data" / "results.parquet").read_bytes()[:4] == b"PAR1"
