"""The pieces of a line as HTML, in plain Python: a site has a quarter of a million of them, too many for macros."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from typing import assert_never

from markupsafe import Markup

from modelmuster.pages.blocks import Amount, Bar, Code, Command, Entry, Link, Mark, Piece, Place, Soft
from modelmuster.report.html import MARKS, bars, word

Addresses = Callable[[Place], str | None]
"""Where a place is; None for one that has no page."""


def entry(it: Entry, address: Addresses) -> Markup:
    """One cell of a table, or one paragraph; every text of a model is escaped."""
    parts = it if isinstance(it, tuple) else (it,)
    return Markup("".join(_piece(part, address) for part in parts))  # noqa: S704 - `_piece` escapes what it is given


def key(it: Entry) -> Markup:
    """The attribute by which a cell of a table is sorted, where it says a number with a unit."""
    return Markup(' data-value="{!r}"').format(it.value) if isinstance(it, Amount) else Markup("")


def _piece(it: Piece, address: Addresses) -> str:
    """One piece as HTML. Strings are put together here without `Markup.format`, which takes eight times as long."""
    match it:
        case str():
            return escape(it)
        case Mark():
            return _mark(it)
        case Code():
            return f"<code>{escape(it.text)}</code>"
        case Soft():
            return f'<small class="soft">{escape(it.text)}</small>'
        case Link():
            where, says = address(it.place), _piece(it.says, address)
            return says if where is None else f'<a href="{escape(where)}">{says}</a>'
        case Command():
            said = f'<code class="command">{escape(it.text)}</code>'
            return f'<span class="copy">{said}<button type="button" data-copy>Copy</button></span>'
        case Bar():
            return _bar(it)
    assert_never(it)


def classes(it: Mark) -> str:
    """The CSS classes of a mark."""
    return " ".join(["mark", "K" if it.mock else MARKS[it.outcome], *["e"] * it.expected, *["f"] * it.flaky])


@cache
def _mark(it: Mark) -> str:
    letter = "~" if it.mock else it.outcome.letter
    says = escape(it.word)
    hidden = f'<span aria-hidden="true">{letter}</span><span class="away">{says}</span>'
    return f'<span class="{classes(it)}" title="{says}">{hidden}</span>'


def _bar(it: Bar) -> str:
    parts = [(f"{count} {word(outcome)}", MARKS[outcome], width) for outcome, count, width in bars(it.tally)]
    inner = "".join(f'<i class="{css}" style="width:{width}%" title="{said}"></i>' for said, css, width in parts)
    return f'<span class="bar" role="img" aria-label="{", ".join(said for said, _, _ in parts)}">{inner}</span>'
