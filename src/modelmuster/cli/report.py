"""`muster report`: one run as a self-contained HTML page, or in a format for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from modelmuster.cli import reading

FORMATS = ("html", "markdown", "json", "junit", "badges")


def report(
    *,
    run: reading.OfRun = "latest",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where it goes; - for standard output. Default: report.html, the folder badges, else standard output.",
            metavar="FILE",
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="What to write; badges are files for shields.io.", metavar="|".join(FORMATS))
    ] = "html",
    site: Annotated[
        Path | None,
        typer.Option("--site", help="Write a site of many pages into this folder instead.", metavar="DIR"),
    ] = None,
) -> None:
    """Write what a run found: the matrix with every cell's details, the findings by cause, and what did not run.

    Examples: `muster report`, `muster report --run 2026 --output run.html`, `muster report --format markdown`,
    `muster report --site site`.
    """
    from modelmuster.cli.console import err
    from modelmuster.errors import UsageError
    from modelmuster.report import document, files, html, junit, markdown
    from modelmuster.report.gather import gather

    if format_ not in FORMATS:
        raise UsageError(f"unknown format {format_!r}", hint=f"formats are: {', '.join(FORMATS)}")
    if site is not None:
        if output is not None or format_ != "html":
            raise UsageError("--site writes a folder of its own", hint="leave out --output and --format")
        _write_site(run, site)
        return
    if format_ == "badges":
        _write_badges(run, output or Path("badges"))
        return
    with reading.stored() as reader:
        data = gather(reader, run)
    note = ""
    match format_:
        case "html":
            page = html.render(data)
            content = page.html.encode()
            if not page.complete:
                note = "; logs and tracebacks are cut to keep it small, --format json has them in full"
        case "markdown":
            content = markdown.render(data).encode()
        case "junit":
            content = junit.render(data)
        case _:
            content = document.render(data)
    path = output or (Path("report.html") if format_ == "html" else Path("-"))
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    files.write(path, content)
    size = html.readable_bytes(len(content))
    err().print(reading.safe(f"wrote {path} ({size}): run {data.run_id}{note}"), soft_wrap=True)


def _write_badges(run: str, folder: Path) -> None:
    from modelmuster.cli.console import err
    from modelmuster.report import badges, files
    from modelmuster.views.summary import summary

    with reading.stored() as reader:
        found = summary(reader, run)
    made = list(badges.render(found))
    for name, content in made:
        files.write(folder / name, content)
    err().print(reading.safe(f"wrote {len(made)} badges into {folder}: run {found.run_id}"), soft_wrap=True)


def _write_site(run: str, folder: Path) -> None:
    from modelmuster.cli.console import err
    from modelmuster.report import html, site

    with reading.stored() as reader:
        made = site.write(reader, folder, run)
    note = "" if made.charts else "; without charts: pip install 'modelmuster[dashboard]'"
    size = html.readable_bytes(made.bytes)
    err().print(
        reading.safe(
            f"wrote {folder}/index.html and {made.pages - 1} more pages ({size}) in {made.seconds:.1f} s: "
            f"run {made.run_id}{note}"
        ),
        soft_wrap=True,
    )
