"""What commands over stored results share: opening the store, and showing text that anybody may have written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    from modelmuster.records import Outcome
    from modelmuster.store import Reader

PIPE_WIDTH = 240
"""Columns of a table that does not go to a terminal."""

Names = Annotated[list[str] | None, typer.Argument(metavar="[ARCHITECTURE]...", help="Names or globs. Default: all.")]
OfRun = Annotated[str, typer.Option("--run", help="Its id, a beginning of it, or latest.", metavar="RUN")]
Families = Annotated[list[str] | None, typer.Option("--family", help="Only this family; repeatable.")]
Targets = Annotated[list[str] | None, typer.Option("--target", "-t", help="Name or glob; repeatable.")]
Checks = Annotated[list[str] | None, typer.Option("--check", "-c", help="Name or glob; repeatable.")]
Outcomes = Annotated[list[str] | None, typer.Option("--outcome", help="Only results that ended so; repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@contextmanager
def stored() -> Iterator[Reader]:
    """The store, up to date, with a note on standard error where it could not be brought up to date."""
    from modelmuster import store
    from modelmuster.cli.console import err
    from modelmuster.settings import Home

    with store.reader(Home.find()) as opened:
        if opened.note:
            err().print(
                safe(f"note: {opened.note}; shown is the state of {opened.published_at:%Y-%m-%d %H:%M:%S} UTC"),
                soft_wrap=True,
            )
        yield opened


def safe(text: str, style: str | Style = "") -> Text:
    """Text for the terminal: never markup, and control characters made visible instead of sent."""
    from rich.text import Text

    return Text(visible(text), style)


def visible(text: str) -> str:
    """The text on one line, with whatever is not printable written as an escape."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def paint(outcome: Outcome) -> Style:
    """The colours of an outcome in the terminal."""
    from rich.style import Style

    from modelmuster.views.palette import PAINTS

    chosen = PAINTS[outcome]
    return Style(color=chosen.text, bgcolor=chosen.background)


def table_console() -> Console:
    """Where to print tables: as wide as the terminal, or wide enough to lose nothing where there is none."""
    from rich.console import Console

    from modelmuster.cli.console import out

    return out() if out().is_terminal else Console(highlight=False, width=PIPE_WIDTH)
