"""`muster report`: one run as a self-contained HTML page, a Markdown summary or a JSON document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from modelmuster.cli import reading


def report(
    *,
    run: reading.OfRun = "latest",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where it goes; - for standard output. Default: report.html, other formats to standard output.",
            metavar="FILE",
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="html, markdown or json.", metavar="html|markdown|json")
    ] = "html",
) -> None:
    """Write what a run found: the matrix with every cell's details, the findings by cause, and what did not run.

    Examples: `muster report`, `muster report --run 2026 --output run.html`, `muster report --format markdown`.
    """
    from modelmuster.cli.console import err
    from modelmuster.errors import UsageError
    from modelmuster.report import document, files, html, markdown
    from modelmuster.report.gather import gather

    if format_ not in {"html", "markdown", "json"}:
        raise UsageError(f"unknown format {format_!r}", hint="formats are: html, markdown, json")
    with reading.stored() as reader:
        data = gather(reader, run)
    note = ""
    if format_ == "html":
        page = html.render(data)
        content = page.html.encode()
        note = "" if page.complete else "; logs and tracebacks are cut to keep it small, --format json has them in full"
    elif format_ == "markdown":
        content = markdown.render(data).encode()
    else:
        content = document.render(data)
    path = output or (Path("report.html") if format_ == "html" else Path("-"))
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    files.write(path, content)
    size = html.readable_bytes(len(content))
    err().print(reading.safe(f"wrote {path} ({size}): run {data.run_id}{note}"), soft_wrap=True)
