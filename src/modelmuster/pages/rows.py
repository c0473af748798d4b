"""The rows of a table as what they say: to be found by their words, sorted by a column, and taken away as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from modelmuster.pages.blocks import Amount, Bar, Code, Command, Entry, Link, Mark, Soft, Table
from modelmuster.views.rates import ordered

DESCENDING = "-"
"""In front of the number of a column: the largest first."""

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def words(it: Entry) -> str:
    """What an entry says, as plain text."""
    match it:
        case tuple():
            return "".join(map(words, it))
        case str():
            return str(it)
        case Link():
            return words(it.says)
        case Mark():
            return it.word
        case Code() | Soft() | Command():
            return it.text
        case Bar():
            return ", ".join(f"{count} {outcome.value}" for outcome, count in ordered(it.tally.counts))


def value(it: Entry) -> float | None:
    """The number that an entry is sorted by: its own, else the first that it says; None where there is none."""
    if isinstance(it, Amount):
        return it.value
    found = _NUMBER.search(words(it).replace("\u202f", ""))
    return float(found[0]) if found else None


def found(rows: Sequence[tuple[Entry, ...]], terms: Sequence[str]) -> list[tuple[Entry, ...]]:
    """The rows that hold every term, in small letters; one with `!` in front excludes."""
    if not terms:
        return list(rows)
    return [row for row in rows if all(_holds(" ".join(map(words, row)).lower(), term) for term in terms)]


def ranked(table: Table, rows: Sequence[tuple[Entry, ...]], order: str) -> list[tuple[Entry, ...]]:
    """Rows in the order of a column, by its number from 0, such as `2` or `-2`; as they stand where it is none.

    What is no number comes last in a column of numbers, in either direction.
    """
    column = order.removeprefix(DESCENDING)
    if not column.isdecimal() or int(column) >= len(table.heads):
        return list(rows)
    place, reverse = int(column), order.startswith(DESCENDING)
    if not table.heads[place].numeric:
        return sorted(rows, key=lambda row: words(row[place]).lower(), reverse=reverse)
    numbered = [(value(row[place]), row) for row in rows]
    known = sorted(((number, row) for number, row in numbered if number is not None), key=_first, reverse=reverse)
    return [row for _, row in known] + [row for number, row in numbered if number is None]


def as_csv(table: Table, rows: Sequence[tuple[Entry, ...]]) -> str:
    """The rows with the heads above them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head.text for head in table.heads)
    writer.writerows([words(it) for it in row] for row in rows)
    return text.getvalue()


def _first(pair: tuple[float, tuple[Entry, ...]]) -> float:
    return pair[0]


def _holds(text: str, term: str) -> bool:
    return term[1:] not in text if len(term) > 1 and term.startswith("!") else term in text
