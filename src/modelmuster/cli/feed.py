"""`muster feed`: what changed from run to run, for a feed reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelmuster.cli import reading


def feed(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where it goes.")] = Path(
        "changes.atom"
    ),
    link: Annotated[
        str, typer.Option("--link", metavar="URL", help="The published report, to which entries lead.")
    ] = "report.html",
    limit: Annotated[int, typer.Option("--limit", help="Runs to look at, the youngest.", min=2)] = 20,
) -> None:
    """Write an Atom feed: one entry for each run that changed an answer, against the last answer before it.

    Mock results enter nothing, and a run that asks less than another makes nothing vanish.

    Example: muster feed --output public/changes.atom --link https://example.org/muster/
    """
    from modelmuster.cli.console import err
    from modelmuster.history.news import news
    from modelmuster.report import atom, files

    with reading.stored() as reader:
        found = news(reader, limit)
    files.write(output, atom.render(found, link))
    err().print(reading.safe(f"wrote {output}: {len(found)} runs that changed something"), soft_wrap=True)
