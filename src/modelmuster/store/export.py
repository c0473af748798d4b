"""The results of one run as files that other programs read: Parquet, CSV and JSON, written by the database itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from modelmuster.errors import UsageError
from modelmuster.store.reader import Reader

FORMATS = {
    "results.parquet": "FORMAT parquet, COMPRESSION zstd",
    "results.csv": "FORMAT csv, HEADER",
    "results.json": "FORMAT json, ARRAY true",
}
"""Name of the file, and what the database is told."""


def export(reader: Reader, run: int, folder: Path, names: Iterable[str] = tuple(FORMATS)) -> Iterator[Path]:
    """Write every planned check of a run with what came of it, by the run's short key, once for each of these formats.

    Raises:
        UsageError: the folder cannot be written.
    """
    import duckdb

    # A connection of its own: the reader's can reach no other file, for the sake of queries that people type.
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"ATTACH '{_quoted(reader.snapshot)}' AS snapshot (READ_ONLY)")
        connection.execute("USE snapshot")
        for name in names:
            path = folder / name
            connection.execute(
                f"COPY (SELECT * EXCLUDE (run, cell, place) FROM results WHERE run = {run:d} "  # noqa: S608 - a number
                "ORDER BY cell, place) "
                f"TO '{_quoted(path)}' ({FORMATS[name]})"
            )
            yield path
    except duckdb.IOException as error:
        raise UsageError(f"cannot write to {folder}: {str(error).splitlines()[0]}") from error
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
