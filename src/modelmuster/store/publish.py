"""The writer's lock, and the snapshot that readers open instead of the file that is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelmuster.errors import InfrastructureError
from modelmuster.settings import Home
from modelmuster.store import batch


@contextmanager
def writing(home: Home, wait_s: float) -> Iterator[None]:
    """Hold the store's lock: only one process at a time writes.

    Raises:
        InfrastructureError: another process held it for longer than `wait_s` seconds.
    """
    import filelock

    home.create()
    lock = filelock.FileLock(home.store_lock, timeout=wait_s)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InfrastructureError(
            f"another process is writing the store in {home.root}", hint="try again in a moment"
        ) from error
    except OSError as error:
        raise _cannot_write(home.root, error) from error
    try:
        for left_over in home.root.glob(f"{batch.PREFIX}*"):
            shutil.rmtree(left_over)
        yield
    except OSError as error:
        raise _cannot_write(home.root, error) from error
    finally:
        lock.release()


def publish(home: Home) -> bool:
    """Make the snapshot a copy of the store, unless it is one; the store must be closed.

    A copy taken while the file is open in this process would drop DuckDB's lock on it: POSIX locks end when any
    descriptor of the file is closed. The copy carries the store's time, by which it is recognised.

    Returns:
        Whether there was anything to do.
    """
    if _same(home.store, home.snapshot):
        return False
    unfinished = home.root / ".snapshot.tmp"
    shutil.copy2(home.store, unfinished)
    unfinished.replace(home.snapshot)
    return True


def _same(store: Path, snapshot: Path) -> bool:
    if not snapshot.exists():
        return False
    one, other = store.stat(), snapshot.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _cannot_write(root: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"cannot keep the store in {root}: {error.filename or ''}: {error.strerror or error}",
        hint="journals are untouched; make room or choose another folder: MUSTER_HOME=/path muster …",
    )
