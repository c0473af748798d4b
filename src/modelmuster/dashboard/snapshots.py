"""The published snapshot, opened once and again whenever another one is published."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from modelmuster.errors import UsageError
from modelmuster.settings import Home
from modelmuster.store import Reader, folders


class Snapshots:
    """Gives one thread at a time the state that was published last."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._opened: tuple[str, Reader] | None = None

    def stamp(self) -> str:
        """Another one for each published snapshot; empty where there is none."""
        try:
            found = self.home.snapshot.stat()
        except FileNotFoundError:
            return ""
        return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """The latest state.

        Raises:
            UsageError: nothing was published yet, or there are no runs in it.
            StoreTooNew: a newer version wrote it.
            InfrastructureError: it is damaged.
        """
        with self._lock:
            stamp = self.stamp()
            if not stamp:
                raise _nothing(self.home)
            if self._opened is None or self._opened[0] != stamp:
                self._close()
                self._opened = stamp, Reader(self.home.snapshot)
            reader = self._opened[1]
            refuse_older(reader)
            if not reader.rows("SELECT 1 FROM runs LIMIT 1"):
                raise _nothing(self.home)
            yield reader

    def behind(self, reader: Reader) -> bool:
        """Whether run folders have changed since the snapshot was published."""
        return reader.signatures() != folders.signatures(self.home)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None


def refuse_older(reader: Reader) -> None:
    """Stop where the snapshot lacks tables that the views read.

    Raises:
        UsageError: an older version wrote it.
    """
    from modelmuster.store.schema import newest_version

    if reader.version < newest_version():
        raise UsageError(
            f"the store has schema version {reader.version}; the pages need {newest_version()}",
            hint="bring it up to date: muster db ingest",
        )


def _nothing(home: Home) -> UsageError:
    if folders.signatures(home):
        return UsageError("there are runs, and none was published yet", hint="type: muster db ingest")
    return UsageError(f"no runs yet in {home.root}", hint="type: muster run bert llama vit")
