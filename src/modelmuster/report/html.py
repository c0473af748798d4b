"""The self-contained HTML report: one file that opens from a folder, asks the network for nothing and stays small."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from modelmuster.records import FINDINGS, Outcome
from modelmuster.report.payload import DETAILS, Detail, pack
from modelmuster.views import rates
from modelmuster.views.words import FORMULAS, WORDS

if TYPE_CHECKING:
    from jinja2 import Environment as Templates

    from modelmuster.report.model import ReportCell, ReportData, Row
    from modelmuster.views.rates import Tally

SIZE_LIMIT_BYTES = 1_000_000
"""The details of cells are cut until the file is smaller than this, as far as cutting helps."""

GROUP_LIMIT = 200
"""Causes and reasons written out; a run with more has a common cause that the first of them show."""

MARKS = {
    Outcome.PASS: "O",
    Outcome.FAIL: "X",
    Outcome.ERROR: "E",
    Outcome.CRASH: "C",
    Outcome.OOM: "M",
    Outcome.TIMEOUT: "T",
    Outcome.UNSUPPORTED: "U",
    Outcome.UNAVAILABLE: "V",
    Outcome.NOT_APPLICABLE: "N",
    Outcome.SKIPPED: "S",
    Outcome.NOT_RUN: "R",
}
"""CSS classes of outcomes: letters, since every cell of the matrix carries one."""

MEANINGS = {
    Outcome.PASS: "every check that applies gave the right answer",
    Outcome.FAIL: "a property or a number is wrong",
    Outcome.ERROR: "an exception",
    Outcome.CRASH: "the process died: a signal, or an exit it did not choose to report",
    Outcome.OOM: "more memory than the cell may use",
    Outcome.TIMEOUT: "longer than the cell may take",
    Outcome.UNSUPPORTED: "the runtime itself says that it cannot",
    Outcome.UNAVAILABLE: "no such hardware or package on this machine",
    Outcome.NOT_APPLICABLE: "the check does not fit this architecture",
    Outcome.SKIPPED: "left out by selection",
    Outcome.NOT_RUN: "planned, but never reached",
}


_REMARKABLE = FINDINGS | {Outcome.NOT_RUN, Outcome.UNSUPPORTED}
_REMARK_CHARS = 110


@dataclass(frozen=True, slots=True)
class Page:
    """A finished file, and whether anything was left out of it."""

    html: str
    detail: Detail
    complete: bool
    """False when logs, tracebacks or figures are cut more than they are at best."""


def render(data: ReportData, *, limit_bytes: int = SIZE_LIMIT_BYTES, nav: str = "") -> Page:
    """The whole file, with as much detail as the size limit allows.

    Args:
        data: what it says.
        limit_bytes: how large it may be.
        nav: finished links to other pages, where it is one of several.
    """
    body = _body(data, nav)
    css = stylesheet() if nav else asset("report.css")

    def made(index: int) -> Page:
        return Page(_shell(data, body, css, DETAILS[index], cut=index > 0), DETAILS[index], complete=index == 0)

    whole = made(0)
    if len(whole.html.encode()) < limit_bytes:
        return whole
    # Halving the rest, since the details of a large run take most of the time; the sparsest is taken if none fits.
    low, high = 1, len(DETAILS) - 1
    page: Page | None = None
    while low < high:
        middle = (low + high) // 2
        tried = made(middle)
        if len(tried.html.encode()) < limit_bytes:
            high, page = middle, tried
        else:
            low = middle + 1
    return page or made(low)


def _body(data: ReportData, nav: str) -> str:
    from markupsafe import Markup

    return Markup(  # noqa: S704 - the output of a template with autoescape
        templates()
        .get_template("body.html.j2")
        .render(
            data=data,
            nav=nav,
            several_columns=len(data.columns) > 1,
            several_dtypes=len({column.dtype for column in data.columns}) > 1,
        )
    )


def _shell(data: ReportData, body: str, css: str, detail: Detail, *, cut: bool) -> str:
    from markupsafe import Markup

    script = asset("report.js")
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            data=data,
            body=body,
            details=pack(data, detail),
            detail=detail,
            cut=cut,
            css=Markup(css),  # noqa: S704 - our own file
            js=Markup(script),  # noqa: S704 - our own file
            js_hash=_csp_hash(script),
        )
    )


def stylesheet() -> str:
    """The style of all pages of the site and of the dashboard."""
    return f"{asset('report.css')}\n{asset('site.css')}"


def asset(name: str) -> str:
    """A file of this package that pages are made with."""
    return (files("modelmuster.report") / "assets" / name).read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    """The content security policy's name for this very script, so that no other can run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}"


@cache
def templates() -> Templates:
    """The templates with their filters; what they print of a model is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("modelmuster.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        outcomes=list(Outcome),
        marks=MARKS,
        meanings=MEANINGS,
        words=WORDS,
        formulas=FORMULAS,
        cell_class=_cell_class,
        group_limit=GROUP_LIMIT,
    )
    templates.filters.update(
        percent=percent,
        bytes=readable_bytes,
        bars=bars,
        number=_number,
        word=word,
        remark=_remark,
        when=when,
    )
    return templates


def word(outcome: Outcome) -> str:
    """An outcome in words."""
    return "out of memory" if outcome is Outcome.OOM else outcome.value.replace("_", " ")


def percent(share: float | None) -> str:
    """A share with one decimal, and a dash where there is none."""
    return "–" if share is None else rates.percent(share)


def readable_bytes(count: float) -> str:
    """Bytes in the largest binary unit that keeps the number above 1."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def when(moment: str) -> str:
    """An ISO 8601 moment to the second, in UTC; as it stands where it is none."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return moment


def _number(count: int) -> str:
    """With thin spaces between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def _cell_class(cell: ReportCell) -> str:
    """The CSS classes of one cell: its outcome's letter and its modifiers."""
    if cell.mock:
        return "K"
    return MARKS[cell.outcome] + " e" * cell.expected + " f" * cell.flaky + " u" * cell.emulated


def bars(tally: Tally) -> list[tuple[Outcome, int, str]]:
    """The parts of a stacked bar: outcome, count and width in percent of what was planned."""
    return [(outcome, count, f"{count / tally.planned * 100:.2f}") for outcome, count in rates.ordered(tally.counts)]


def _remark(row: Row) -> str:
    """The worst thing in a row in a few words; empty where nothing is wrong."""
    open_cells = [cell for cell in row.cells if cell and not cell.mock and cell.outcome in _REMARKABLE]
    if not open_cells:
        return ""
    worst = max(open_cells, key=lambda cell: rates.severity(cell.outcome))
    result = next(result for result in worst.results if result.outcome is worst.outcome)
    said = " ".join((result.message or (result.error.message if result.error else "")).split())
    kind = f"{result.error.type}: " if result.error and not said.startswith(result.error.type) else ""
    where = f"{worst.cell.target}: " if len(row.cells) > 1 else ""
    text = f"{where}{kind}{said}".removesuffix(": ")
    return text if len(text) <= _REMARK_CHARS else f"{text[: _REMARK_CHARS - 1]}…"
