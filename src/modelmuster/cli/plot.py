"""`muster plot`: charts as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelmuster.cli import reading


def plot(
    kind: Annotated[str, typer.Argument(metavar="heatmap|latency|trend|coverage", help="What to draw.")],
    *,
    run: reading.OfRun = "latest",
    target: reading.Targets = None,
    family: reading.Families = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Ends in .svg or .png. Default: KIND.svg.", metavar="FILE"),
    ] = None,
) -> None:
    """Draw a chart into an SVG or PNG file, with the counts behind it.

    Examples: `muster plot heatmap`, `muster plot latency --output latency.png`, `muster plot trend`.
    """
    from modelmuster.cli.console import err
    from modelmuster.plots.drawing import draw
    from modelmuster.views.narrowing import narrow

    path = output or Path(f"{kind}.svg")
    with reading.stored() as reader:
        chosen = narrow(reader, run=run, targets=target or (), families=family or ())
        draw(reader, kind, chosen, path)
    err().print(reading.safe(f"wrote {path}: {kind} of run {chosen.run.run_id}"), soft_wrap=True)
