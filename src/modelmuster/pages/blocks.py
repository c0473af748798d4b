"""The few kinds of blocks that pages are made of, and the pieces that stand in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from modelmuster.records import Outcome
from modelmuster.views.rates import Tally


@dataclass(frozen=True, slots=True)
class Place:
    """A page with its state: the same place has the same address for everybody."""

    page: str
    query: tuple[tuple[str, str], ...] = ()


def to(page: str, /, **query: str | None) -> Place:
    """A place; what is None or empty is left out of its query."""
    return Place(page, tuple((name.rstrip("_"), value) for name, value in query.items() if value))


@dataclass(frozen=True, slots=True)
class Mark:
    """The letter of an outcome in its colours."""

    outcome: Outcome
    mock: bool = False
    expected: bool = False
    flaky: bool = False

    @property
    def word(self) -> str:
        """What a screen reader says."""
        if self.mock:
            return "🔷 mock"
        words = ["out of memory" if self.outcome is Outcome.OOM else self.outcome.value.replace("_", " ")]
        words += ["expected"] * self.expected + ["flaky"] * self.flaky
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Link:
    """Words or a mark that lead to a place."""

    says: str | Mark
    place: Place


class Amount(str):
    """A number in words with its value beside it, by which a table is sorted: `1.2 s` is more than `300 ms`."""

    __slots__ = ("value",)
    value: float

    def __new__(cls, text: str, value: float) -> Self:
        """The text that is shown, and its value."""
        made = super().__new__(cls, text)
        made.value = value
        return made


@dataclass(frozen=True, slots=True)
class Code:
    """A name or a number of a program."""

    text: str


@dataclass(frozen=True, slots=True)
class Soft:
    """What explains the piece before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A tally as a stacked bar."""

    tally: Tally


@dataclass(frozen=True, slots=True)
class Command:
    """A command line to be copied."""

    text: str


Piece: TypeAlias = str | Mark | Link | Code | Soft | Bar | Command
Entry: TypeAlias = Piece | tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    text: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """One number with its denominator."""

    label: str
    number: str
    of: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Numbers at the top of a page."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, each beginning with what it is about."""

    name: str
    """A slug, unique in its page: the key of its filter in the address."""
    heads: tuple[Head, ...]
    rows: tuple[tuple[Entry, ...], ...]
    empty: str
    """What is the case where there is no row."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms with what holds of them."""

    pairs: tuple[tuple[str, Entry], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A long text as it was written: a traceback, a log, a configuration."""

    title: str
    text: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure in Plotly's own JSON, with a sentence that says what is to be seen."""

    name: str
    says: str
    figure: Mapping[str, Any]


Block: TypeAlias = Heading | Note | Tiles | Table | Facts | Text | Chart


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that the reader may choose: a key of the address with the values that it can have."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    """Value and words of each; without options any text may be typed."""
    value: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, ready to be laid out."""

    name: str
    title: str
    question: str
    """What it answers."""
    blocks: tuple[Block, ...]
    choices: tuple[Choice, ...] = ()
    run_id: str = ""
    """The run that it speaks of; empty where it speaks of all."""


def note(*pieces: Piece) -> Note:
    """A paragraph of these pieces."""
    return Note(pieces)


def heads(*names: str) -> tuple[Head, ...]:
    """Heads of columns; a `#` in front makes a column of numbers."""
    return tuple(Head(name.removeprefix("#"), name.startswith("#")) for name in names)


def spread(pieces: Iterable[Piece], limit: int = 12) -> tuple[Piece, ...]:
    """Pieces with commas between them, and how many more there are."""
    every = list(pieces)
    said: list[Piece] = []
    for piece in every[:limit]:
        said += [", ", piece] if said else [piece]
    if len(every) > limit:
        said.append(f" and {len(every) - limit} more")
    return tuple(said)
