"""All entries together: read from their files, checked against what exists, and laid against results."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from modelmuster import plugins
from modelmuster.errors import UnknownName, UsageError
from modelmuster.expectations.entry import Expectation
from modelmuster.records import CellRecord, Inference, Outcome, Result

OURS = Path(__file__).parent
"""Entries that are shipped with the package."""

USERS = Path("expectations")
"""Entries of the project in whose folder the command is typed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An expectation and the file that holds it."""

    expectation: Expectation
    path: Path


@dataclass(frozen=True, slots=True)
class Stale:
    """An expected failure that passed: the entry has to go."""

    entry: Entry
    record: CellRecord
    result: Result

    def __str__(self) -> str:
        cell, expected = self.record.cell, self.entry.expectation
        return (
            f"{cell.model_type} {cell.model_class} on {cell.target}: {self.result.check} was expected to end in "
            f"{expected.outcome.value}, but passes: {expected.removal()}"
        )


@dataclass(frozen=True, slots=True)
class Book:
    """Entries of any number of files."""

    entries: tuple[Entry, ...] = ()

    def on(self, version: str | None) -> Book:
        """Those of its entries that hold for that version of transformers; None where there is none."""
        return Book(tuple(entry for entry in self.entries if entry.expectation.in_force(version)))

    def marked(self, record: CellRecord) -> CellRecord:
        """The record with the reason at each result that was foreseen; one of mock inference as it is."""
        if record.provenance.inference is Inference.MOCK:
            return record
        return msgspec.structs.replace(record, results=tuple(self._mark(record, result) for result in record.results))

    def stale(self, record: CellRecord) -> Iterator[Stale]:
        """The entries that a passing result of the record refutes."""
        for result in record.results:
            if result.outcome is Outcome.PASS:
                yield from (Stale(entry, record, result) for entry in self._covering(record, result))

    def unused(self, records: Iterable[CellRecord]) -> list[Entry]:
        """The entries that no result of these records was foreseen by."""
        used = {
            entry
            for record in records
            for result in record.results
            for entry in self._covering(record, result)
            if entry.expectation.foresees(result)
        }
        return [entry for entry in self.entries if entry not in used]

    def check_names(self, model_types: Iterable[str]) -> None:
        """Refuse entries that can never apply.

        Raises:
            UnknownName: an architecture, a check or a target that does not exist.
        """
        known = {
            "architecture": (list(model_types), "muster catalog"),
            "check": (plugins.checks().names(), "muster plan --help"),
            "target": (plugins.targets().names(), "muster doctor"),
        }
        for entry in self.entries:
            for kind, (names, see) in known.items():
                pattern = getattr(entry.expectation, kind)
                if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
                    error = UnknownName(kind, pattern, names, see=see)
                    error.message = f"{entry.path}: {error.message}"
                    raise error

    def _mark(self, record: CellRecord, result: Result) -> Result:
        for entry in self._covering(record, result):
            if entry.expectation.foresees(result):
                return msgspec.structs.replace(result, expected=entry.expectation.shown)
        return result

    def _covering(self, record: CellRecord, result: Result) -> list[Entry]:
        return [entry for entry in self.entries if entry.expectation.covers(record.cell, result.check)]


def in_force(folder: Path | None = None) -> Book:
    """The entries of `load` that hold for the installed transformers, of names that exist.

    Raises:
        UsageError: see `load`.
        UnknownName: an architecture, a check or a target that does not exist.
    """
    try:
        version = metadata.version("transformers")
    except metadata.PackageNotFoundError:
        version = None
    book = load(folder).on(version)
    if book.entries:
        from modelmuster import catalog

        book.check_names(entry.model_type for entry in catalog.load().architectures)
    return book


def load(folder: Path | None = None) -> Book:
    """The package's own entries and the user's.

    Args:
        folder: The user's; `expectations/` in the current folder, where there is one, if None.

    Raises:
        UsageError: a folder that does not exist, a file that is not TOML, or an entry that cannot be read.
    """
    if folder is not None and not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="--expectations takes a folder of TOML files")
    folders = {path.resolve(): path for path in (OURS, folder or USERS)}
    return Book(tuple(entry for path in folders.values() for entry in _read_folder(path)))


def read_tables(path: Path) -> list[dict[str, Any]]:
    """The raw entries of one file.

    Raises:
        UsageError: it is not TOML, or holds something else than `[[expected]]`.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}", hint="mend it, or move it out of the folder") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    listed = tables.get("expected", [])
    if set(tables) - {"expected"} or not isinstance(listed, list):
        raise UsageError(f"{path}: holds something else than [[expected]] tables", hint="see: muster expect --help")
    return listed


def _read_folder(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.glob("*.toml")):
        seen: set[tuple[str | None, ...]] = set()
        for number, table in enumerate(read_tables(path), start=1):
            try:
                found = msgspec.convert(table, Expectation)
            except msgspec.ValidationError as error:
                name = table.get("architecture", "?") if isinstance(table, dict) else table
                raise UsageError(
                    f"{path}: entry {number} ({name}) cannot be read: {error}",
                    hint="mend it in the file, or take it out: muster expect remove",
                ) from error
            if found.key in seen:
                raise UsageError(f"{path}: entry {number} ({found.architecture}) repeats an earlier one")
            seen.add(found.key)
            yield Entry(found, path)
