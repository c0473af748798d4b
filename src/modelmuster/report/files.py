"""Writes a report so that nobody ever sees half of one."""

from __future__ import annotations

from pathlib import Path

from modelmuster import atomic
from modelmuster.errors import UsageError


def write(path: Path, content: bytes) -> None:
    """Replace the file at once; what stood there before stays if writing fails.

    Raises:
        UsageError: the folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, content)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", hint="choose another place with --output"
        ) from error
