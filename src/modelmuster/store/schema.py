"""Opens database files and brings their schema up to date with the numbered migrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from modelmuster.errors import InfrastructureError, StoreTooNew

REBUILD = "make it anew from the journals: muster db rebuild"

_NAME = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Every step, the first one first."""
    found = []
    for entry in files("modelmuster.store.migrations").iterdir():
        matched = _NAME.fullmatch(entry.name)
        if matched:
            found.append(Migration(int(matched[1]), entry.name, entry.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda step: step.version))


def newest_version() -> int:
    """The version of the schema that this package writes."""
    return migrations()[-1].version


def open_for_writing(path: Path) -> Any:
    """A connection to the database, made or migrated where needed. The caller holds the store's lock and closes it.

    Raises:
        StoreTooNew: a newer version of this package or of DuckDB wrote it.
        InfrastructureError: it cannot be opened, or is no database.
    """
    import duckdb

    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise unreadable(path, error) from error
    try:
        _migrate(connection, path)
    except BaseException:
        # Ctrl-C too, and raised again: an open connection would keep the file locked.
        connection.close()
        raise
    return connection


def version_of(connection: Any) -> int:
    """The schema version of an open database; 0 for an empty one."""
    import duckdb

    try:
        row = connection.execute("SELECT max(version) FROM schema_versions").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(row[0] or 0)


def refuse_newer(version: int, path: Path) -> None:
    """Stop where the schema is newer than this package.

    Raises:
        StoreTooNew: it is.
    """
    if version > newest_version():
        raise StoreTooNew(
            f"{path} has schema version {version}; this version of modelmuster knows {newest_version()}",
            hint=f"upgrade modelmuster, or {REBUILD}",
        )


def unreadable(path: Path, error: Exception) -> StoreTooNew | InfrastructureError:
    """What to say about a database file that DuckDB does not open."""
    reason = str(error).splitlines()[0]
    if "newer version" in reason or "version number" in reason:
        return StoreTooNew(f"{path} was written by a newer DuckDB: {reason}", hint=f"upgrade duckdb, or {REBUILD}")
    if "onflicting lock" in reason:
        return InfrastructureError(
            f"another program has opened {path}: {reason}", hint="close it; to look at the data, open the snapshot"
        )
    return InfrastructureError(f"cannot open {path}: {reason}", hint=REBUILD)


def _migrate(connection: Any, path: Path) -> None:
    version = version_of(connection)
    refuse_newer(version, path)
    for step in migrations():
        if step.version <= version:
            continue
        connection.begin()
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_versions "
            "(version INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"
        )
        connection.execute(step.sql)
        connection.execute("INSERT INTO schema_versions VALUES (?, ?, now())", [step.version, step.name])
        connection.commit()
