"""The two streams: data goes to `out`, progress and notes to `err`."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> Console:
    """Standard output, for data."""
    from rich.console import Console

    return Console(highlight=False)


@cache
def err() -> Console:
    """Standard error, for progress and notes."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def write_json(data: Any) -> None:
    """One JSON document on standard output, readable and without surprises for a pipe."""
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")
    sys.stdout.buffer.flush()
