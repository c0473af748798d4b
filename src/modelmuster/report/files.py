"""Writes a report so that nobody ever sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from modelmuster.errors import UsageError


def write(path: Path, content: bytes) -> None:
    """Replace the file at once; what stood there before stays if writing fails.

    Raises:
        UsageError: the folder or the file cannot be written.
    """
    try:
        _replace(path, content)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", hint="choose another place with --output"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
