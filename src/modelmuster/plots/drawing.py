"""From a kind of chart to a file."""

from __future__ import annotations

from pathlib import Path

from modelmuster.errors import MissingDependency, UsageError
from modelmuster.store import Reader
from modelmuster.views.narrowing import Narrowing

FORMATS = (".svg", ".png")


def draw(reader: Reader, kind: str, narrowing: Narrowing, path: Path) -> None:
    """Draw one chart into a file; its name says in which format.

    Raises:
        UsageError: an unknown kind or format, nothing to draw, or a file that cannot be written.
        MissingDependency: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependency("matplotlib", purpose="drawing charts into files", extra="dashboard") from error
    from modelmuster.plots.kinds import KINDS

    if kind not in KINDS:
        raise UsageError(f"unknown chart {kind!r}", hint=f"charts are: {', '.join(KINDS)}")
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"cannot draw a {path.suffix or 'file without an ending'}", hint="name it .svg or .png")
    # Text of an SVG stays text, and the same data give the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "modelmuster"}):
        figure = KINDS[kind](reader, narrowing)
        try:
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
