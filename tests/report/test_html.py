import base64
import hashlib
import re
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from modelmuster.records import Outcome, Plan
from modelmuster.report import html
from modelmuster.report.assemble import assemble
from modelmuster.report.html import MARKS, SIZE_LIMIT_BYTES
from modelmuster.views.palette import PAINTS
from synthetic_run import HOSTILE_NAME, HOSTILE_TEXT, synthetic_run

CSS = (files("modelmuster.report") / "assets" / "report.css").read_text()


class Tags(HTMLParser):
    """Every start tag with its attributes, and the text outside scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self._raw = [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self._raw = False

    def handle_data(self, data):
        if not self._raw:
            self.text += data

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def parsed(page):
    return Tags(page.html)


def test_nothing_is_fetched_from_anywhere(page, parsed):
    targets = [
        value
        for _, attributes in parsed.tags
        for name, value in attributes.items()
        if name in {"src", "href", "action", "srcset", "data", "poster"}
    ]
    assert targets
    assert all(target.startswith(("#", "data:,")) for target in targets)
    assert "@import" not in page.html
    assert "url(" not in page.html


def test_only_our_own_script_may_run(parsed, page):
    scripts = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(meta["content"] for meta in parsed.named("meta") if "http-equiv" in meta)
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert len(parsed.named("script")) == 2


def test_hostile_names_and_messages_stay_text(parsed, page):
    assert HOSTILE_NAME in parsed.text
    assert HOSTILE_TEXT in parsed.text
    assert not parsed.named("img")
    assert all("onerror" not in attributes for _, attributes in parsed.tags)
    assert page.html.count("</script>") == 2
    assert "{{ 7*7 }}" in parsed.text


def test_every_rate_stands_beside_its_counts(parsed, data):
    text = " ".join(parsed.text.split())
    assert f"{data.cells.passed} of {data.cells.decided} decided" in text
    assert f"{data.cells.decided} of {data.cells.planned} planned" in text
    assert f"{data.answered} of {data.architectures}" in text
    for target in data.targets:
        if target.tally.planned:
            assert f"{target.tally.passed} / {target.tally.decided}" in text


def test_the_table_is_complete_without_javascript(page, data):
    grid = re.search(r'<table id="grid".*?</table>', page.html, re.DOTALL)[0]
    marks = re.findall(r'<td class="?([OXECMTUVNSRK])[^>]*>(.)', grid)
    expected = [
        ("K", "~") if cell.mock else (MARKS[cell.outcome], cell.outcome.letter)
        for row in data.rows
        for cell in row.cells
    ]
    assert marks == expected
    assert grid.count("<th scope=row>") == len(data.rows)


def test_mock_cells_are_hatched_and_carry_the_word(parsed):
    assert "🔷 60 mock cells, not counted" in " ".join(parsed.text.split())
    assert re.search(r"^\.K \{[^}]*repeating-linear-gradient", CSS, re.MULTILINE)


def test_all_that_did_not_run_and_all_causes_are_written_out(parsed, data):
    text = " ".join(parsed.text.split())
    for name, reason in data.unplanned.items():
        assert name in text
        assert reason in text
    for gap in data.gaps:
        assert gap.reason in text
    for group in data.failures:
        assert group.reproduce in text


def test_a_run_without_cells_still_makes_a_page():
    plan = Plan(run_id="r", created_at="now", command="muster run", cells=(), unplanned={"odd": "no class"})
    text = Tags(html.render(assemble(plan, [], None, version="0")).html).text
    assert "no class" in text
    assert "The run recorded no environment." in text


def test_details_are_cut_to_fit_and_the_page_says_so(data):
    full = html.render(data)
    assert full.complete
    assert "logs are cut" not in full.html
    less = html.render(data, limit_bytes=len(full.html.encode()) - 1)
    assert not less.complete
    assert len(less.html.encode()) < len(full.html.encode())
    assert f"logs are cut to their last {less.detail.log_chars}" in less.html


def test_the_whole_library_on_twelve_targets_stays_small(capsys):
    targets = ("torch:cpu", "torch:cuda", "inductor:cpu", "onnxruntime:cpu", "openvino:cpu", "webgpu:chromium")
    plan, records, environment = synthetic_run(544, targets=targets, dtypes=("float32", "bfloat16"))
    assert len(plan.cells) == 544 * 12
    began = time.perf_counter()
    page = html.render(assemble(plan, records, environment, version="0"))
    spent = time.perf_counter() - began
    size = len(page.html.encode())
    with capsys.disabled():
        sys.stdout.write(f"\n544 × 12 cells: {size} bytes in {spent:.1f} s, {page.detail}\n")
    assert size < SIZE_LIMIT_BYTES
    assert page.detail.figures != "none"


def variables(block):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", block))


LIGHT = variables(re.search(r":root \{(.*?)\n\}", CSS, re.DOTALL)[1])
DARK = LIGHT | variables(re.search(r"prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", CSS, re.DOTALL)[1])
PAIRS = ("pass", "fail", "crash", "time", "none")
NAMES = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.ERROR: "fail",
    Outcome.CRASH: "crash",
    Outcome.OOM: "crash",
    Outcome.TIMEOUT: "time",
    Outcome.UNSUPPORTED: "none",
}


def long_form(colour):
    digits = colour.removeprefix("#")
    return "".join(2 * digit for digit in digits) if len(digits) == 3 else digits


def luminance(colour):
    """Relative luminance by WCAG 2.2."""
    channels = [int(long_form(colour)[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("outcome", NAMES, ids=str)
def test_light_colours_are_those_of_the_palette(outcome):
    paint = PAINTS[outcome]
    assert long_form(LIGHT[NAMES[outcome]]) == long_form(paint.background.lower())
    assert long_form(LIGHT[f"{NAMES[outcome]}-ink"]) == long_form(paint.text.lower())


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(scheme):
    for name in PAIRS:
        assert contrast(scheme[name], scheme[f"{name}-ink"]) >= 4.5, name
    for ink in ("ink", "soft", "link", "gap-ink"):
        assert contrast(scheme["page"], scheme[ink]) >= 4.5, ink
        assert contrast(scheme["raised"], scheme[ink]) >= 4.5, ink
    assert contrast(scheme["none"], scheme["gap-ink"]) >= 3


def test_names_of_families_and_targets_are_options_of_the_filters(parsed, data):
    text = " ".join(parsed.text.split())
    for group in data.groups:
        assert group.family.value in text
    assert [attributes for attributes in parsed.named("select") if attributes["name"] == "target"]


def test_a_replaced_message_is_shown_in_the_row(data):
    row = next(row for row in data.rows if any(cell.outcome is Outcome.CRASH for cell in row.cells))
    changed = replace(data, groups=(replace(data.groups[0], rows=(row,)),))
    assert "signal 11 (SIGSEGV)" in html.render(changed).html


def test_moments_are_shown_in_utc_and_other_texts_as_they_are():
    assert html.when("2026-11-23T21:05:01.25+02:00") == "2026-11-23 19:05:01 UTC"
    assert html.when("last night") == "last night"
