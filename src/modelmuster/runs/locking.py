"""One writer per home: a lock that ends with its process, and a note beside it that says who holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from modelmuster.errors import InfrastructureError, RunInProgress
from modelmuster.settings import Home


@contextmanager
def held(home: Home, *, purpose: str) -> Iterator[None]:
    """Hold the lock of a home.

    Args:
        home: Whose lock; created when it is missing.
        purpose: What the holder does, for the message that others get, such as `run 20261123-101502-417-9f3a`.

    Raises:
        RunInProgress: another process holds it.
        InfrastructureError: the lock cannot be taken here at all.
    """
    home.create()
    lock = filelock.FileLock(home.lock, timeout=0)
    # Beside the lock and not in it: whoever tries to lock that file empties it.
    note = home.lock.with_name("lock.holder")
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise RunInProgress(
            f"{_holder(note)} is writing in {home.root}",
            hint="wait until it is done, stop it, or use another folder: MUSTER_HOME=/path muster …",
        ) from error
    except OSError as error:
        raise InfrastructureError(f"cannot lock {home.lock}: {error.strerror or error}") from error
    try:
        note.write_text(json.dumps({"pid": os.getpid(), "purpose": purpose}))
        yield
    finally:
        with suppress(FileNotFoundError):
            note.unlink()
        lock.release()


def _holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_text())
        return f"the process {holder['pid']} ({holder['purpose']})"
    except (OSError, ValueError, KeyError):
        return "another process"
