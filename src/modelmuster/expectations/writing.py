"""Entries from a run's journal, and changes to the files that keep what people wrote in them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from modelmuster import atomic
from modelmuster.errors import UsageError
from modelmuster.expectations.entry import PLACEHOLDER
from modelmuster.records import FINDINGS, CellRecord, Result, Scale

_AT_ONCE = re.compile(r"(?<=[^\n])\n\[\[")
"""A table that begins on the very line after another."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finding of a run that both attempts agree on."""

    record: CellRecord
    result: Result

    def table(self, version: str | None, *, reason: str, link: str) -> dict[str, str]:
        """The entry, as its file holds it."""
        cell = self.record.cell
        entry = {"architecture": cell.model_type, "class": cell.model_class, "check": self.result.check}
        entry |= {"target": cell.target, "outcome": self.result.outcome.value}
        if cell.dtype != "float32":
            entry["dtype"] = cell.dtype
        if cell.scale is not Scale.TINY:
            entry["scale"] = cell.scale.value
        if version:
            entry["transformers"] = f">={version}"
        entry["reason"] = reason or f"{PLACEHOLDER}: say why this is known. Seen: {self.result.message}"
        return entry | ({"link": link} if link else {})


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a run's findings give."""

    reproduced: tuple[Proposal, ...]
    seen_once: tuple[Proposal, ...]
    """Findings that no second attempt confirmed; they are not written."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it is and as it shall be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty where nothing changes."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            fromfile=str(self.path),
            tofile=str(self.path),
        )
        return "".join(lines)

    def write(self) -> None:
        """Write the file; one that holds nothing any more is removed.

        Raises:
            UsageError: the disk refuses.
        """
        try:
            if self.after.strip():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                atomic.replace(self.path, self.after.encode())
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror or error}") from error


def propose(records: Iterable[CellRecord]) -> Proposals:
    """The unexpected findings of a run's final records, apart by whether an earlier attempt ended the same way."""
    attempts: dict[str, list[CellRecord]] = {}
    for record in records:
        attempts.setdefault(record.cell.id, []).append(record)
    reproduced: list[Proposal] = []
    once: list[Proposal] = []
    for group in attempts.values():
        *earlier, last = sorted(group, key=lambda record: record.attempt)
        for result in last.results:
            if last.final and result.outcome in FINDINGS and result.expected is None:
                agreeing = any(_outcome(record, result.check) is result.outcome for record in earlier)
                (reproduced if agreeing and not result.flaky else once).append(Proposal(last, result))
    return Proposals(tuple(reproduced), tuple(once))


def add(folder: Path, tables: Iterable[dict[str, str]]) -> list[Change]:
    """Append entries to the files of their checks; none that a file has already."""
    grouped: dict[Path, list[dict[str, str]]] = {}
    for table in tables:
        grouped.setdefault(folder / f"{table['check']}.toml", []).append(table)
    changes = []
    for path, wanted in sorted(grouped.items()):
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        document = _parse(path, before)
        listed = document.setdefault("expected", tomlkit.aot())
        known = [_place(entry) for entry in listed]
        for table in wanted:
            if _place(table) not in known:
                listed.append(tomlkit.item(table))
        changes.append(Change(path, before, _AT_ONCE.sub("\n\n[[", tomlkit.dumps(document))))
    return changes


def remove(paths: Iterable[Path], wanted: dict[str, str]) -> list[Change]:
    """Take out the entries with these very texts: globs are compared, not matched."""
    changes = []
    for path in paths:
        before = path.read_text(encoding="utf-8")
        document = _parse(path, before)
        listed = document.get("expected", [])
        keep = [entry for entry in listed if _place(entry) != _place(wanted)]
        if len(keep) == len(listed):
            continue
        for index in reversed(range(len(listed))):
            if _place(listed[index]) == _place(wanted):
                del listed[index]
        if not keep:
            del document["expected"]
        changes.append(Change(path, before, tomlkit.dumps(document)))
    return changes


def _parse(path: Path, text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise UsageError(f"{path}: not valid TOML: {error}", hint="mend it, or move it out of the folder") from error


def _place(table: Any) -> tuple[str, ...]:
    """Where an entry speaks of, with what it leaves out filled in."""
    defaults = {"architecture": "", "class": "", "check": "", "target": "*", "dtype": "float32", "scale": "tiny"}
    return tuple(str(table.get(name, default)) for name, default in defaults.items())


def _outcome(record: CellRecord, check: str) -> Any:
    return next((result.outcome for result in record.results if result.check == check), None)
