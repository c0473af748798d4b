"""The journal: an append-only file of records, one JSON line each, which is the truth about a run.

Every record is on the disk before `append` returns. A writer that died in the middle of a line leaves a torn last line,
which readers pass over and the next writer cuts off: its cell simply counts as not run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from modelmuster.errors import InfrastructureError, JournalDamaged
from modelmuster.records import RECORD_FORMAT, CellRecord

_decoder = msgspec.json.Decoder(CellRecord)


@dataclass(frozen=True, slots=True)
class Damage:
    """A complete line that is no record."""

    path: Path
    line: int
    """Counted from 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a lenient read found."""

    records: list[CellRecord]
    damages: list[Damage]


class Journal:
    """The one writer of a journal."""

    def __init__(self, path: Path) -> None:
        """Open it for appending, and cut off a torn last line.

        Raises:
            InfrastructureError: it cannot be opened or written.
        """
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._size = _complete_length(path)
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def append(self, record: CellRecord) -> None:
        """Write one record and wait until it is on the disk.

        Raises:
            InfrastructureError: the disk is full or refuses. The journal then ends with the record before.
        """
        line = memoryview(msgspec.json.encode(record) + b"\n")
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            self._restore()
            raise _cannot_write(self.path, error) from error
        except BaseException:
            # An interruption in the middle of a line: better no record than half of one.
            self._restore()
            raise
        self._size += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _restore(self) -> None:
        os.ftruncate(self._file, self._size)
        os.lseek(self._file, self._size, os.SEEK_SET)


def read(path: Path) -> Iterator[CellRecord]:
    """Every record, in the order of writing; none where the file is missing.

    Raises:
        JournalDamaged: a complete line is no record.
        InfrastructureError: the file cannot be read.
    """
    for found in _lines(path):
        if isinstance(found, Damage):
            raise JournalDamaged(
                f"{path}, line {found.line}: {found.reason}",
                hint=f"delete line {found.line} of that file, and `muster run --resume` runs its cell again",
            )
        yield found


def read_lenient(path: Path) -> Reading:
    """Every record that can be read, and what could not.

    Raises:
        InfrastructureError: the file cannot be read.
    """
    reading = Reading([], [])
    for found in _lines(path):
        if isinstance(found, Damage):
            reading.damages.append(found)
        else:
            reading.records.append(found)
    return reading


class Follower:
    """Reads a journal that somebody else is writing, each record once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        """Bytes, up to and with the last complete line."""

    def new(self) -> list[CellRecord]:
        """The records that were written since the last time; none where the file is missing.

        A line that is no record is passed over: reports name it.

        Raises:
            InfrastructureError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read:
                    self._read = 0  # it is another file
                file.seek(self._read)
                lines = [line for line in file if line.endswith(b"\n")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InfrastructureError(f"cannot read {self.path}: {error.strerror or error}") from error
        self._read += sum(map(len, lines))
        read = (_record(self.path, number, line) for number, line in enumerate(lines, start=1))
        return [found for found in read if isinstance(found, CellRecord)]


def done_cells(path: Path) -> set[str]:
    """Ids of the cells that have a final record.

    Raises:
        JournalDamaged: a complete line is no record.
    """
    return {record.cell.id for record in read(path) if record.final}


def _lines(path: Path) -> Iterator[CellRecord | Damage]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                yield _record(path, number, line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InfrastructureError(f"cannot read {path}: {error.strerror or error}") from error


def _record(path: Path, number: int, line: bytes) -> CellRecord | Damage:
    try:
        record = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Damage(path, number, f"no record: {error}")
    if record.format > RECORD_FORMAT:
        return Damage(path, number, f"written by a newer version (format {record.format}, known here {RECORD_FORMAT})")
    return record


def _complete_length(path: Path) -> int:
    """Bytes up to and with the last line end."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def _cannot_write(path: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"cannot write the journal {path}: {error.strerror or error}",
        hint="every record before this one is safe; once the disk takes writes again: muster run --resume",
    )
