"""The pieces of a line as HTML, in plain Python: a site has a quarter of a million of them, too many for macros."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from markupsafe import Markup, escape

from modelmuster.pages.blocks import Amount, Bar, Code, Command, Entry, Link, Mark, Piece, Place, Soft
from modelmuster.report.html import MARKS, bars, word

Addresses = Callable[[Place], str | None]
"""Where a place is; None for one that has no page."""


def entry(it: Entry, address: Addresses) -> Markup:
    """One cell of a table, or one paragraph."""
    return Markup("").join(piece(part, address) for part in it) if isinstance(it, tuple) else piece(it, address)


def key(it: Entry) -> Markup:
    """The attribute by which a cell of a table is sorted, where it says a number with a unit."""
    return Markup(' data-value="{}"').format(it.value) if isinstance(it, Amount) else Markup("")


def piece(it: Piece, address: Addresses) -> Markup:
    """One piece; every text of a model is escaped."""
    match it:
        case str():
            return escape(it)
        case Mark():
            return _mark(it)
        case Code():
            return Markup("<code>{}</code>").format(it.text)
        case Soft():
            return Markup('<small class="soft">{}</small>').format(it.text)
        case Link():
            where, says = address(it.place), piece(it.says, address)
            return says if where is None else Markup('<a href="{}">{}</a>').format(where, says)
        case Command():
            return Markup(
                '<span class="copy"><code class="command">{}</code><button type="button" data-copy>Copy</button></span>'
            ).format(it.text)
        case Bar():
            return _bar(it)
    assert_never(it)


def classes(it: Mark) -> str:
    """The CSS classes of a mark."""
    return " ".join(["mark", "K" if it.mock else MARKS[it.outcome], *["e"] * it.expected, *["f"] * it.flaky])


def _mark(it: Mark) -> Markup:
    letter = "~" if it.mock else it.outcome.letter
    return Markup(
        '<span class="{}" title="{}"><span aria-hidden="true">{}</span><span class="away">{}</span></span>'
    ).format(classes(it), it.word, letter, it.word)


def _bar(it: Bar) -> Markup:
    said = ", ".join(f"{count} {word(outcome)}" for outcome, count, _ in bars(it.tally))
    inner = Markup("").join(
        Markup('<i class="{}" style="width:{}%" title="{} {}"></i>').format(MARKS[outcome], width, count, word(outcome))
        for outcome, count, width in bars(it.tally)
    )
    return Markup('<span class="bar" role="img" aria-label="{}">{}</span>').format(said, inner)
