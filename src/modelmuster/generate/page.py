"""The coverage of test files as one HTML page without anything from elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import jinja2

from modelmuster import atomic
from modelmuster.errors import UsageError
from modelmuster.generate.coverage import Coverage, State
from modelmuster.generate.render import SHIPPED


def write(coverage: Coverage, path: Path, transformers: str) -> None:
    """Write the page.

    Raises:
        UsageError: it cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SHIPPED), autoescape=True, undefined=jinja2.StrictUndefined
    )
    text = environment.get_template("coverage.html.j2").render(
        coverage=coverage,
        states=list(State),
        transformers=transformers,
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    )
    try:
        atomic.replace(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", hint="choose another file with --html"
        ) from error
