"""The nodes of pytest's tree that stand for cells and their checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from modelmuster.pytest_plugin import targets
from modelmuster.pytest_plugin.recording import words
from modelmuster.records import FINDINGS, Cell, CellRecord, Outcome, Result
from modelmuster.selection import reproduce

PREFIX = "muster"
"""First part of every node id, where other tests have their file."""


class Runner(Protocol):
    """Who runs the cells."""

    def record_of(self, item: CheckItem) -> tuple[CellRecord, bool]:
        """The record of the item's cell, and whether it was run just now."""
        ...


RUNNER: pytest.StashKey[Runner] = pytest.StashKey()
"""Where the session keeps it."""

RECORD = pytest.StashKey[CellRecord]()
"""Where the item that ran a cell keeps its record, until it is reported."""


class CheckFailed(Exception):
    """A check of a cell ended in a finding."""

    def __init__(self, cell: Cell, result: Result, log: str) -> None:
        super().__init__(result.message)
        self.cell, self.result, self.log = cell, result, log

    def __str__(self) -> str:
        error = self.result.error
        parts = [f"{self.result.outcome.value} in stage {self.result.stage or 'build'}: {self.result.message}"]
        parts += [f"  {name} = {value}" for name, value in self.result.figures.items()]
        parts += [error.traceback.rstrip()] if error and error.traceback else []
        parts += [f"log:\n{self.log.rstrip()}"] if self.log and self.result.outcome is not Outcome.FAIL else []
        return "\n".join([*parts, f"again: {reproduce(self.cell, self.result.check)}"])


class Place(pytest.Collector):
    """A step of the way to a cell: the catalogue, an architecture, a class on a target."""

    def collect(self) -> list[pytest.Item]:
        """Nothing: items are made all at once by `CellTests`."""
        return []


class CheckItem(pytest.Item):
    """One check of one cell."""

    cell: Cell
    check: str

    def runtest(self) -> None:
        """Run the cell, unless an item before this one did, and look at this check's result."""
        record, fresh = self.config.stash[RUNNER].record_of(self)
        if fresh:
            self.stash[RECORD] = record
        result = next(found for found in record.results if found.check == self.check)
        self.user_properties += [
            ("outcome", result.outcome.value),
            ("inference", record.provenance.inference.value),
            ("weights", record.provenance.weights.value),
        ]
        if result.outcome in FINDINGS:
            if result.expected is not None:
                pytest.xfail(f"{result.outcome.value}: {result.message}; expected: {result.expected}")
            raise CheckFailed(self.cell, result, record.log_tail)
        if result.outcome is not Outcome.PASS:
            pytest.skip(f"{words(result.outcome)}: {result.message}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The finding in its own words; the stack of pytest itself tells nothing."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """What the head of a failure shows."""
        return self.path, None, f"{self.cell.model_type} {self.cell.model_class} on {self.cell.target}: {self.check}"


def cell_id(cell: Cell) -> str:
    """The node id of a cell; those of its checks go on from it."""
    return "::".join((PREFIX, *_names(cell)))


def _names(cell: Cell) -> tuple[str, str, str]:
    return cell.model_type, cell.model_class or "no-class", cell.target


def items_of(session: pytest.Session, cells: Iterable[Cell]) -> Iterator[CheckItem]:
    """A test for each check of each cell, below nodes for architecture, class and target."""
    places: dict[tuple[str, ...], Place] = {(): Place.from_parent(session, name=PREFIX, nodeid=PREFIX)}
    for cell in cells:
        names = _names(cell)
        for depth in range(1, len(names) + 1):
            path = names[:depth]
            if path not in places:
                places[path] = Place.from_parent(places[path[:-1]], name=path[-1])
        place = places[names]
        place.add_marker(cell.family.value.replace("-", "_"))
        place.add_marker(targets.mark(session.config, cell.target))
        for check in cell.checks:
            item = CheckItem.from_parent(place, name=check)
            item.cell, item.check = cell, check
            yield item
