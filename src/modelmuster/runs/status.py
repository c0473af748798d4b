"""What a run is doing at the moment, in a small file of its folder: for whoever watches it from outside."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from modelmuster import atomic
from modelmuster.contracts import Node, Progress
from modelmuster.records import Record

WRITE_EVERY_S = 1.0


class RunStatus(Record, frozen=True, kw_only=True):
    """One look at a run."""

    run_id: str
    host: str
    pid: int
    updated_at: str
    """UTC, ISO 8601; old when the run was killed."""
    planned: int
    recorded: int
    """Cells with a deciding record."""
    ended: bool
    running: Mapping[str, float] = {}
    """Cell ids with the seconds they have been running."""
    places: Mapping[str, str] = {}
    """The worker of each running cell, where there are several machines."""
    nodes: tuple[Node, ...] = ()


class StatusFile:
    """Keeps the file up to date while a run goes on. A disk that refuses it does not stop the run."""

    def __init__(self, path: Path, run_id: str, planned: int) -> None:
        self.path, self.run_id, self.planned = path, run_id, planned
        self._nodes: tuple[Node, ...] = ()
        self._written = 0.0

    def tell(self, progress: Progress, recorded: int) -> None:
        """Write it, unless that was done a moment ago."""
        self._nodes = progress.nodes
        if time.monotonic() > self._written + WRITE_EVERY_S:
            self._write(progress, recorded, ended=False)

    def end(self, recorded: int) -> None:
        """Say that nothing runs any more."""
        self._write(Progress(running={}, nodes=self._nodes), recorded, ended=True)

    def _write(self, progress: Progress, recorded: int, *, ended: bool) -> None:
        self._written = time.monotonic()
        now = RunStatus(
            run_id=self.run_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            updated_at=datetime.now(UTC).isoformat(),
            planned=self.planned,
            recorded=recorded,
            ended=ended,
            running=progress.running,
            places=progress.places,
            nodes=progress.nodes,
        )
        with suppress(OSError):
            atomic.replace(self.path, msgspec.json.encode(now))


def read(path: Path) -> RunStatus | None:
    """The last look at a run; None where none was written, or what was written is of another version."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunStatus)
    except (OSError, msgspec.DecodeError):
        return None
