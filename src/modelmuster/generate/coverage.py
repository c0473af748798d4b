"""Which architectures have a test file, what became of it when it ran, and which to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modelmuster.catalog.priority import Priority, Ranking
from modelmuster.generate import header
from modelmuster.records import Architecture, Family
from modelmuster.views.file_tests import FileTests
from modelmuster.views.rates import Tally


class State(StrEnum):
    """How far an architecture has come, the least first."""

    MISSING = "missing"
    """There is no file."""
    NOT_RUN = "not run"
    """There is a file, and no recorded run of it."""
    FAILING = "failing"
    UNDECIDED = "undecided"
    """It ran, and nothing was decided: all skipped, or on a mock."""
    PASSING = "passing"
    IMPOSSIBLE = "impossible"
    """The type has no class to build."""


TO_DO = (State.MISSING, State.FAILING, State.NOT_RUN, State.UNDECIDED)
"""States that ask for work, in the order in which to do it within a priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One architecture."""

    model_type: str
    family: Family
    priority: Priority
    state: State
    files: tuple[Path, ...]
    edited: bool
    run_id: str
    tally: Tally | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All architectures, those to do next first."""

    rows: tuple[Row, ...]
    ranking: Ranking

    @property
    def counts(self) -> Counter[State]:
        """Architectures by state."""
        return Counter(row.state for row in self.rows)

    @property
    def states(self) -> list[State]:
        """The states that occur, in their order."""
        return [state for state in State if self.counts[state]]

    def by_family(self) -> list[tuple[Family, Counter[State]]]:
        """The same for each family."""
        families = sorted({row.family for row in self.rows})
        return [(family, Counter(row.state for row in self.rows if row.family is family)) for family in families]

    def by_priority(self) -> list[tuple[Priority, Counter[State]]]:
        """The same for each priority."""
        return [(rank, Counter(row.state for row in self.rows if row.priority is rank)) for rank in Priority]


def files_in(folder: Path) -> dict[str, list[Path]]:
    """The generated files below a folder, by model type."""
    found: dict[str, list[Path]] = {}
    for (model_type, _), paths in files_by_class(folder).items():
        found.setdefault(model_type, []).extend(paths)
    return found


def files_by_class(folder: Path) -> dict[tuple[str, str], list[Path]]:
    """The generated files below a folder, by model type and class."""
    found: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        read = header.read_file(path)
        if read is not None:
            found.setdefault((read.model_type, read.model_class), []).append(path)
    return found


def cover(
    architectures: Iterable[Architecture],
    have: Mapping[str, Sequence[Path]],
    results: Mapping[str, FileTests],
    ranking: Ranking,
) -> Coverage:
    """Bring together what exists, what ran and what matters."""
    rows = [
        _row(entry, have.get(entry.model_type, ()), results.get(entry.model_type), ranking) for entry in architectures
    ]
    order = list(Priority)

    def key(row: Row) -> tuple[bool, int, int, int, str]:
        done = row.state not in TO_DO
        urgency = 0 if done else TO_DO.index(row.state)
        return done, order.index(row.priority), urgency, ranking.place(row.model_type), row.model_type

    return Coverage(rows=tuple(sorted(rows, key=key)), ranking=ranking)


def _row(entry: Architecture, files: Sequence[Path], found: FileTests | None, ranking: Ranking) -> Row:
    return Row(
        model_type=entry.model_type,
        family=entry.family,
        priority=ranking.of(entry.model_type),
        state=_state(entry, files, found),
        files=tuple(files),
        edited=any(header.is_edited(path.read_text(encoding="utf-8")) for path in files),
        run_id=found.run_id if found else "",
        tally=found.tally if found else None,
        note="" if entry.model_classes else entry.note or "no class to build",
    )


def _state(entry: Architecture, files: Sequence[Path], found: FileTests | None) -> State:
    if not files:
        return State.MISSING if entry.model_classes else State.IMPOSSIBLE
    if found is None:
        return State.NOT_RUN
    if found.tally.findings > found.tally.expected:
        return State.FAILING
    return State.PASSING if found.tally.passed else State.UNDECIDED
