"""Rows on their way into the database: one JSON-lines file per table, loaded in one transaction.

Measured with 20,000 rows of eleven columns: 1,200 rows/s by executemany, 5,000 by inserts of 500 rows, 67,000 by list
parameters, 125,000 by reading a file of JSON lines.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import msgspec

PREFIX = ".ingest-"

_SMALLEST_LIMIT = 16 << 20
"""DuckDB's default for the longest JSON object, in bytes."""

# The tables that hold rows of one run each.
_OF_RUNS = (
    "runs",
    "unplanned",
    "environments",
    "packages",
    "devices",
    "cells",
    "planned",
    "attempts",
    "answers",
    "timings",
    "tallies",
    "marks",
)


class Batch:
    """Whole runs, collected in files next to the store and then written to it at once."""

    def __init__(self, folder: Path) -> None:
        self.rows = 0
        """How many rows were added since the last load."""
        self.runs: list[int] = []
        """Short keys of the runs that were added since the last load."""
        self.replaced: list[int] = []
        """Short keys of earlier readings of these runs, to be deleted in the same transaction."""
        self.folders: list[str] = []
        """Names of the folders that were read, likewise to be deleted first."""
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
        self._files: dict[str, IO[bytes]] = {}
        self._longest: dict[str, int] = {}
        self._encoder = msgspec.json.Encoder()
        self._recipes: set[str] = set()

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Take one row; a recipe that is there already is left out."""
        if table == "recipes":
            if row["hash"] in self._recipes:
                return
            self._recipes.add(row["hash"])
        file = self._files.get(table)
        if file is None:
            file = self._files[table] = (self._folder / f"{table}.jsonl").open("wb")
        line = self._encoder.encode(row)
        file.write(line)
        file.write(b"\n")
        self._longest[table] = max(self._longest.get(table, 0), len(line))
        self.rows += 1

    def load(self, connection: Any) -> None:
        """Write everything that was added in one transaction, then begin anew."""
        connection.begin()
        try:
            _delete(connection, self.replaced, self.folders)
            for table, file in self._files.items():
                file.close()
                self._load_table(connection, table, Path(file.name))
            added = [min(self.runs, default=0), max(self.runs, default=-1)]
            connection.execute(
                "INSERT INTO tallies "
                "SELECT run, family, target, check_name, mock, outcome, expected IS NOT NULL, flaky, count(*) "
                "FROM results WHERE run BETWEEN ? AND ? GROUP BY ALL",
                added,
            )
            connection.execute("INSERT INTO marks SELECT * FROM counted_marks WHERE run BETWEEN ? AND ?", added)
            connection.commit()
        except BaseException:
            # Ctrl-C too, and raised again: a run is in the store as a whole or not at all.
            connection.rollback()
            raise
        self._clear()

    def close(self) -> None:
        """Delete the files."""
        self._clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _clear(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._longest.clear()
        self._recipes.clear()
        self.runs, self.replaced, self.folders = [], [], []
        self.rows = 0

    def _load_table(self, connection: Any, table: str, path: Path) -> None:
        columns = dict(
            connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
                [table],
            ).fetchall()
        )
        rows = connection.read_json(
            str(path),
            columns=columns,
            format="newline_delimited",
            maximum_object_size=max(_SMALLEST_LIMIT, self._longest[table] + 1),
        )
        if table == "recipes":
            known = connection.table("recipes").project("hash AS known")
            rows = rows.join(known, "hash = known", how="anti")
        rows.insert_into(table)


def _delete(connection: Any, runs: Iterable[int], folders: Iterable[str]) -> None:
    runs, folders = list(runs), list(folders)
    for table in _OF_RUNS if runs else ():
        connection.execute(f"DELETE FROM {table} WHERE list_contains(?, run)", [runs])  # noqa: S608 - names from above
    for table in ("folders", "damages") if folders else ():
        connection.execute(f"DELETE FROM {table} WHERE list_contains(?, folder)", [folders])  # noqa: S608 - likewise
