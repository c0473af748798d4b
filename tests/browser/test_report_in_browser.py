"""The report in a real browser, opened from a file; `opened` asserts that it fetched nothing and complained nowhere."""

import pytest

from modelmuster.records import Outcome
from synthetic_run import HOSTILE_NAME, HOSTILE_TEXT

pytestmark = pytest.mark.browser

SHOWN = "#grid tbody tr:not(.g):not([hidden])"
PANEL = "#panel:not([hidden])"


def shown_names(page):
    return page.eval_on_selector_all(
        SHOWN, "rows => rows.filter(row => row.offsetParent !== null).map(row => row.cells[0].textContent)"
    )


def row_of(page, name):
    return page.locator("#grid tbody tr", has=page.locator("th").get_by_text(name, exact=True))


def first_with(data, outcome, column=0):
    return next(row for row in data.rows if row.cells[column].outcome is outcome)


def marks(page, name):
    return row_of(page, name).locator("td:not(.w)").all_inner_texts()


def test_the_whole_matrix_is_there(opened, data):
    page = opened()
    assert shown_names(page) == [row.model_type for row in data.rows]
    assert page.locator("#grid thead th[data-c]").count() == len(data.columns)
    assert page.locator("#shown").inner_text() == "60 of 60 rows"
    assert page.title() == f"modelmuster · {data.run_id}"


def test_marks_say_the_outcome_in_letters_and_in_words(opened, data):
    page = opened()
    row = first_with(data, Outcome.CRASH)
    cell = row_of(page, row.model_type).locator("td").first
    assert cell.inner_text() == "C"
    assert cell.get_attribute("aria-label") == f"{row.model_type} on torch:cpu float32: crash"


def test_the_name_filter_widens_narrows_and_excludes(opened, data):
    page = opened()
    names = [row.model_type for row in data.rows]
    page.fill("input[name=q]", "bert")
    assert shown_names(page) == [name for name in names if "bert" in name]
    page.fill("input[name=q]", "*bert gpt2")
    assert shown_names(page) == [name for name in names if name.endswith("bert") or "gpt2" in name]
    page.fill("input[name=q]", "bert !al*")
    assert shown_names(page) == [name for name in names if "bert" in name and not name.startswith("al")]
    page.fill("input[name=q]", "nothing-like-this")
    assert shown_names(page) == []
    assert page.locator("#none").is_visible()
    page.click("button[type=reset]")
    assert len(shown_names(page)) == 60


def test_family_and_target_filters_change_rows_columns_and_counts(opened, data):
    page = opened()
    group = next(group for group in data.groups if group.family.value == "vision")
    page.select_option("select[name=family]", "vision")
    assert shown_names(page) == [row.model_type for row in group.rows]
    tally = group.tallies[1]
    assert page.locator("#grid .sum td").nth(1).inner_text() == f"{tally.passed}/{tally.decided}"
    page.select_option("select[name=target]", "onnxruntime:cpu")
    assert page.locator("#grid thead th[data-c]:visible").all_inner_texts()[0].split() == [
        "onnxruntime",
        "cpu",
        "float32",
    ]
    assert page.locator(f"{SHOWN} >> nth=0 >> td:visible:not(.w)").count() == 1


def test_outcome_chips_keep_rows_with_any_of_the_chosen_outcomes(opened, data):
    page = opened()
    page.click(".chip[data-outcome=crash]")
    page.click(".chip[data-outcome=oom]")
    wanted = {Outcome.CRASH, Outcome.OOM}
    assert shown_names(page) == [
        row.model_type for row in data.rows if wanted & {cell.outcome for cell in row.cells if not cell.mock}
    ]
    assert page.locator(".chip[data-outcome=crash]").get_attribute("aria-pressed") == "true"


def test_rows_in_which_everything_passed_can_be_hidden(opened, data):
    page = opened("#target=torch:cpu")
    page.check("input[name=hide]")
    quiet = {Outcome.PASS, Outcome.NOT_APPLICABLE}
    assert shown_names(page) == [row.model_type for row in data.rows if row.cells[0].outcome not in quiet]
    assert len(shown_names(page)) < 60


def test_the_matrix_of_one_check_shows_that_checks_outcomes(opened, data):
    page = opened()
    row = next(
        row for row in data.rows if [result.outcome for result in row.cells[0].results] == [Outcome.PASS, Outcome.FAIL]
    )
    assert marks(page, row.model_type)[0] == "X"
    page.select_option("select[name=check]", "forward")
    assert marks(page, row.model_type)[0] == "O"
    page.select_option("select[name=check]", "reference")
    assert marks(page, row.model_type)[0] == "X"
    page.click("button[type=reset]")
    assert marks(page, row.model_type) == ["~" if cell.mock else cell.outcome.letter for cell in row.cells]


def test_a_family_folds_and_unfolds(opened, data):
    page = opened()
    button = page.locator("tbody[data-family=vision] tr.g button")
    button.click()
    assert button.get_attribute("aria-expanded") == "false"
    vision = next(group for group in data.groups if group.family.value == "vision")
    assert not {row.model_type for row in vision.rows} & set(shown_names(page))
    button.click()
    assert len(shown_names(page)) == 60


def test_the_address_holds_the_state_and_a_link_restores_it(opened, data):
    page = opened()
    row = first_with(data, Outcome.ERROR)
    page.fill("input[name=q]", row.model_type)
    page.click(".chip[data-outcome=error]")
    page.select_option("select[name=target]", "torch:cpu")
    row_of(page, row.model_type).locator("td:visible").first.click()
    page.wait_for_selector(PANEL)
    place = page.evaluate("location.hash")
    again = opened(place)
    again.wait_for_selector(PANEL)
    assert again.input_value("input[name=q]") == row.model_type
    assert again.input_value("select[name=target]") == "torch:cpu"
    assert again.locator(".chip[data-outcome=error]").get_attribute("aria-pressed") == "true"
    assert shown_names(again) == [name for name in (each.model_type for each in data.rows) if name == row.model_type]
    assert again.locator("#panel h2").inner_text().startswith(row.model_type)


def test_the_state_may_also_stand_in_the_query(opened, data):
    page = opened("?family=audio&hide=green")
    assert page.input_value("select[name=family]") == "audio"
    assert page.is_checked("input[name=hide]")


def test_the_keyboard_reaches_a_cell_opens_and_closes_its_detail(opened, data):
    page = opened()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.locator("#grid td[tabindex='0']").focus()
    first = data.rows[0].model_type
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(f"{first} on torch:cpu")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    third = data.rows[2].model_type
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(f"{third} on onnxruntime:cpu")
    assert page.locator("#tip").is_visible()
    page.keyboard.press("Enter")
    page.wait_for_selector(PANEL)
    assert page.evaluate("document.activeElement.id") == "panel"
    assert page.locator("#panel h2").inner_text().startswith(third)
    page.keyboard.press("Escape")
    assert page.locator(PANEL).count() == 0
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(f"{third} on onnxruntime:cpu")
    assert page.locator("#grid td[tabindex='0']").count() == 1


def test_arrows_skip_what_filters_hide(opened, data):
    page = opened("#family=video")
    page.locator("#grid td[tabindex='0']").focus()
    names = shown_names(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith(f"{names[1]} on mock")


def test_a_click_shows_checks_error_log_recipe_evidence_and_the_command(opened, data):
    page = opened()
    row = next(
        row
        for row in data.rows
        if row.cells[0].outcome is Outcome.ERROR and row.cells[0].record.log_tail and row.model_type != HOSTILE_NAME
    )
    cell = row.cells[0]
    row_of(page, row.model_type).locator("td").first.click()
    page.wait_for_selector(PANEL)
    assert page.locator("#reproduce").inner_text() == cell.reproduce
    text = page.locator("#panel").inner_text()
    error = cell.results[0].error
    assert error.type in text
    assert "Traceback (most recent call last)" in text
    assert cell.record.log_tail.splitlines()[-1] in text
    for summary in ("Recipe", "Stages and durations", "Environment"):
        page.locator("#panel summary", has_text=summary).click()
    text = page.locator("#panel").inner_text()
    assert "input_ids" in text
    assert cell.record.recipe.hash in text
    assert "build" in text
    assert "AMD EPYC 7763" in text
    assert page.locator("#panel button", has_text="the same way").count() > 0


def test_a_passed_cell_shows_its_figures_and_the_device_read_back(opened, data):
    page = opened()
    row = next(row for row in data.rows if row.cells[0].outcome is Outcome.PASS and not row.cells[0].flaky)
    row_of(page, row.model_type).locator("td").first.click()
    page.wait_for_selector(PANEL)
    text = page.locator("#panel").inner_text()
    assert "relative_rmse" in text
    assert "🚀 real" in text
    assert row.cells[0].record.provenance.evidence.device_name in text


def test_every_attempt_of_a_flaky_cell_is_shown(opened, data):
    page = opened()
    row, column = next((row, at) for row in data.rows for at, cell in enumerate(row.cells) if cell.flaky)
    row_of(page, row.model_type).locator("td").nth(column).click()
    page.wait_for_selector(PANEL)
    attempts = page.locator("#panel details", has_text="Attempts").locator("tbody tr").all_inner_texts()
    assert len(attempts) == 2
    assert "crash" in attempts[0]
    assert "decides" in attempts[1]


def test_copy_puts_the_command_on_the_clipboard(opened, data):
    page = opened()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = data.rows[0]
    row_of(page, row.model_type).locator("td").first.click()
    page.locator("#panel button", has_text="Copy").click()
    page.wait_for_selector("#panel button:has-text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == row.cells[0].reproduce


def test_hovering_tells_the_reason(opened, data):
    page = opened()
    row = first_with(data, Outcome.CRASH)
    row_of(page, row.model_type).locator("td").first.hover()
    assert "signal 11 (SIGSEGV)" in page.locator("#tip").inner_text()


def test_a_link_of_the_findings_opens_the_cell_and_keeps_the_filters(opened, data):
    page = opened("#hide=green")
    place = data.failures[0].places[0]
    page.locator("#failures li .places a").first.click()
    page.wait_for_selector(PANEL)
    assert page.locator("#panel h2").inner_text().startswith(place.row)
    assert page.is_checked("input[name=hide]")


def test_hostile_names_and_texts_stay_text(opened, data):
    page = opened()
    row_of(page, HOSTILE_NAME).locator("td").first.hover()
    assert HOSTILE_NAME in page.locator("#tip").inner_text()
    row_of(page, HOSTILE_NAME).locator("td").first.click()
    page.wait_for_selector(PANEL)
    assert page.locator("#panel h2").inner_text().startswith(HOSTILE_NAME)
    assert HOSTILE_TEXT in page.locator("#panel").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("b", has_text="bold").count() == 0
    assert page.title() == f"modelmuster · {data.run_id}"
    again = opened(page.evaluate("location.hash"))
    again.wait_for_selector(PANEL)
    assert again.locator("#panel h2").inner_text().startswith(HOSTILE_NAME)


def test_mock_cells_are_marked_and_never_counted(opened, data):
    page = opened()
    column = next(index for index, column in enumerate(data.columns) if column.target == "mock")
    name = data.rows[0].model_type
    cell = row_of(page, name).locator("td").nth(column)
    assert cell.inner_text() == "~"
    assert "🔷 mock" in cell.get_attribute("aria-label")
    assert "repeating-linear-gradient" in cell.evaluate("cell => getComputedStyle(cell).backgroundImage")
    assert page.locator("#grid .sum td").nth(column).inner_text() == "mock"
    cell.click()
    page.wait_for_selector(PANEL)
    assert "never counted" in page.locator("#panel .verdict").inner_text()
    page.select_option("select[name=target]", "mock")
    assert page.locator("#grid .sum td").nth(column).inner_text() == "mock"


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_itself_never_scrolls_sideways(opened, width, scheme):
    page = opened()
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")
    page.locator(f"{SHOWN} td").first.click()
    page.wait_for_selector(PANEL)
    box = page.locator("#panel").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width + 1


def test_on_paper_the_whole_matrix_is_unfolded_without_controls(opened):
    page = opened()
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    heights = page.evaluate(
        "(() => { const box = document.querySelector('#matrix .scroll');"
        " return [box.clientHeight, box.scrollHeight]; })()"
    )
    assert heights[0] == heights[1]
