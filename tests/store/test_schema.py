"""Migrations: numbered without gaps, applied once, in one step each."""

import duckdb
import pytest

from modelmuster.errors import InfrastructureError, StoreTooNew
from modelmuster.store import schema


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.duckdb"


def test_migrations_are_numbered_without_gaps():
    assert [step.version for step in schema.migrations()] == list(range(1, len(schema.migrations()) + 1))


def test_a_new_database_gets_every_migration_once(path):
    for _ in range(2):
        connection = schema.open_for_writing(path)
        applied = connection.execute("SELECT version FROM schema_versions ORDER BY version").fetchall()
        connection.close()
        assert [row[0] for row in applied] == [step.version for step in schema.migrations()]


def test_a_later_migration_is_applied_to_an_older_database(path, monkeypatch):
    schema.open_for_writing(path).close()
    later = schema.Migration(schema.newest_version() + 1, "later.sql", "ALTER TABLE runs ADD COLUMN later INTEGER")
    steps = (*schema.migrations(), later)
    monkeypatch.setattr(schema, "migrations", lambda: steps)
    connection = schema.open_for_writing(path)
    assert schema.version_of(connection) == later.version
    assert connection.execute("SELECT later FROM runs").fetchall() == []
    connection.close()


def test_a_migration_that_fails_leaves_the_older_database(path, monkeypatch):
    schema.open_for_writing(path).close()
    version = schema.newest_version()
    broken = schema.Migration(version + 1, "broken.sql", "CREATE TABLE half (a INTEGER); SELECT nonsense FROM nowhere")
    steps = (*schema.migrations(), broken)
    monkeypatch.setattr(schema, "migrations", lambda: steps)
    with pytest.raises(duckdb.CatalogException):
        schema.open_for_writing(path)
    with duckdb.connect(str(path)) as connection:
        assert schema.version_of(connection) == version
        assert connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'half'").fetchall() == []


def test_a_file_that_is_no_database_names_the_cure(path):
    path.write_text("not a database, " * 1000)
    with pytest.raises(InfrastructureError, match="cannot open") as caught:
        schema.open_for_writing(path)
    assert "muster db rebuild" in caught.value.hint


def test_a_damaged_header_names_the_cure(path):
    schema.open_for_writing(path).close()
    content = bytearray(path.read_bytes())
    content[12:20] = (9999).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(InfrastructureError, match="cannot open") as caught:
        schema.open_for_writing(path)
    assert "muster db rebuild" in caught.value.hint


def test_a_file_of_a_newer_duckdb_is_told_apart(path):
    said = duckdb.IOException(
        "IO Error: Trying to read a database file with version number 999, "
        "but we can only read versions between 64 and 67."
    )
    error = schema.unreadable(path, said)
    assert isinstance(error, StoreTooNew)
    assert "upgrade duckdb" in error.hint


def test_answers_of_an_older_database_get_the_names_of_their_checks(path, monkeypatch):
    every = schema.migrations()
    monkeypatch.setattr(schema, "migrations", lambda: every[:4])
    connection = schema.open_for_writing(path)
    connection.execute("INSERT INTO planned VALUES (1, 0, 0, 'forward'), (1, 0, 1, 'padding'), (2, 0, 0, 'cache')")
    for run, place in ((1, 1), (2, 0), (1, 0)):
        connection.execute(
            "INSERT INTO answers (run, cell, entry, place, outcome, message, figures, flaky) "
            "VALUES (?, 0, 1, ?, 'pass', '', '{}', false)",
            [run, place],
        )
    connection.close()
    monkeypatch.setattr(schema, "migrations", lambda: every)
    connection = schema.open_for_writing(path)
    found = connection.execute("SELECT run, place, check_name FROM answers ORDER BY run, place").fetchall()
    assert found == [(1, 0, "forward"), (1, 1, "padding"), (2, 0, "cache")]
    connection.close()
