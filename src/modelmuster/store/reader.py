"""What views read through: one published snapshot, opened so that nothing can be written and no other file reached."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelmuster.errors import InfrastructureError, StoreTooNew, UsageError
from modelmuster.settings import Home
from modelmuster.store import folders
from modelmuster.store.ingest import WAIT_S, ingest
from modelmuster.store.schema import newest_version, refuse_newer, unreadable, version_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query returned."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Reader:
    """An open snapshot. It stays what it was when it was opened, whatever is published later."""

    def __init__(self, snapshot: Path, note: str = "") -> None:
        """Open a snapshot.

        Raises:
            StoreTooNew: a newer version wrote it.
            InfrastructureError: it is damaged.
        """
        import duckdb

        self.snapshot = snapshot
        self.note = note
        """Why this may not be the latest state; empty when it is."""
        self.published_at = datetime.fromtimestamp(snapshot.stat().st_mtime, UTC)
        # Attached to a connection of its own: DuckDB would give every direct connection in this process the first
        # file that it opened under this path, also after another one was published.
        self._connection = duckdb.connect(":memory:")
        try:
            quoted = str(snapshot).replace("'", "''")
            self._connection.execute(f"ATTACH '{quoted}' AS snapshot (READ_ONLY)")
            self._connection.execute("USE snapshot")
            self.version = version_of(self._connection)
            refuse_newer(self.version, snapshot)
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            self._connection.close()
            raise unreadable(snapshot, error) from error
        except BaseException:
            # Ctrl-C too, and raised again: without a reader nobody could close the connection.
            self._connection.close()
            raise

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows by column name; parameters are `$name` in the query."""
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def query(self, sql: str) -> Answer:
        """Run a query that somebody typed; it can neither write nor read other files.

        Raises:
            UsageError: it fails.
        """
        import duckdb

        try:
            cursor = self._connection.execute(sql)
            columns = tuple(column[0] for column in cursor.description or ())
            return Answer(columns, cursor.fetchall())
        except duckdb.Error as error:
            raise UsageError(f"the query fails: {error}", hint="tables and columns: muster db info") from error

    def signatures(self) -> dict[str, str]:
        """The run folders that it was made from."""
        return {row["folder"]: row["signature"] for row in self.rows("SELECT folder, signature FROM folders")}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


@contextlib.contextmanager
def reader(home: Home) -> Iterator[Reader]:
    """Open the snapshot, brought up to date first unless another process is writing it.

    Raises:
        UsageError: there are no runs.
        StoreTooNew: a newer version wrote the store.
        InfrastructureError: the store is damaged, or there is none and it cannot be made.
    """
    opened = _open(home)
    try:
        if not opened.rows("SELECT 1 FROM runs LIMIT 1"):
            raise _no_runs(home, opened)
        yield opened
    finally:
        opened.close()


def refuse_newer_store(home: Home) -> None:
    """Stop before a run whose results this version could not bring into the store that is there.

    Raises:
        StoreTooNew: a newer version wrote it.
    """
    if not home.snapshot.exists():
        return
    # A damaged snapshot is no reason to stop: it is made anew after the run.
    with contextlib.suppress(InfrastructureError):
        Reader(home.snapshot).close()


def _open(home: Home) -> Reader:
    present = folders.signatures(home)
    if not home.snapshot.exists():
        if not present:
            raise _no_runs(home, None)
        ingest(home, wait_s=WAIT_S)
        return Reader(home.snapshot)
    opened = Reader(home.snapshot)
    if opened.version < newest_version():
        opened.close()
        ingest(home, wait_s=WAIT_S)
        return Reader(home.snapshot)
    if opened.signatures() == present:
        return opened
    try:
        ingest(home, wait_s=0)
    except StoreTooNew:
        opened.close()
        raise
    except (InfrastructureError, UsageError) as error:
        opened.note = f"newer results are not shown: {error.message}"
        return opened
    opened.close()
    return Reader(home.snapshot)


def _no_runs(home: Home, opened: Reader | None) -> UsageError:
    damaged = opened.rows("SELECT folder, file, reason FROM damages ORDER BY folder LIMIT 1") if opened else []
    if damaged:
        first = damaged[0]
        return UsageError(
            f"no readable run in {home.runs}: {first['folder']}/{first['file']}: {first['reason']}",
            hint="type: muster run",
        )
    return UsageError(f"no runs yet in {home.root}", hint="type: muster run")
