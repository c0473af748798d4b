"""Processes that serve one cell after another, such as one that holds a browser: see `optional.Accompanied`.

They are children of the fork server like the cells, and shut in like them. A failed cell is repeated in a supervisor's
next `run`, and so with a companion of its own: what an earlier cell may have left behind is never the cause twice.
"""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from modelmuster import plugins
from modelmuster.optional import Accompanied
from modelmuster.records import CellRecord, Outcome
from modelmuster.runs import child, containment
from modelmuster.runs.forkserver import server

CELLS = 100
"""How many cells a companion serves at most: what piles up in it, if anything does, ends with it."""
PARTING_SECONDS = 5.0
"""How long it gets to clear up behind itself."""

_HARMFUL = frozenset({Outcome.CRASH, Outcome.OOM, Outcome.TIMEOUT})
_numbers = itertools.count(1)


class Companion:
    """One such process, seen from the supervisor."""

    def __init__(self, target: str, log_dir: str) -> None:
        """Start it.

        Raises:
            OSError, EOFError: it cannot be started.
        """
        self.target, self.served = target, 0
        slug = re.sub(r"[^A-Za-z0-9]+", "-", target)
        self._log = Path(log_dir) / f"companion-{slug}-{next(_numbers)}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        self.connection, theirs = Pipe()
        self._process = server.context.Process(target=main, args=(target, str(self._log), theirs))
        try:
            server.start(self._process, log=str(Path(log_dir) / "fork-server.log"))
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.exitcode is None

    def processes(self) -> list[psutil.Process]:
        """It and all below it."""
        with suppress(psutil.NoSuchProcess):
            return [psutil.Process(self.pid), *containment.descendants(self.pid)]
        return []

    def part(self) -> None:
        """End it, once it has cleared up behind itself."""
        self.connection.close()
        self._process.join(PARTING_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        self.connection.close()
        if self.is_alive():
            below = self.processes()
            containment.kill_group(self.pid)
            containment.kill_all(below)
            self._process.join(PARTING_SECONDS)
        with suppress(FileNotFoundError):
            if not self._log.stat().st_size:
                self._log.unlink()


class Companions:
    """All companions of a supervisor: those that are with cells, and those that wait for the next."""

    def __init__(self) -> None:
        self._waiting: list[Companion] = []
        self._busy: list[Companion] = []

    @property
    def pids(self) -> list[int]:
        """Their processes."""
        return [one.pid for one in (*self._waiting, *self._busy)]

    def take(self, target: str, log_dir: str) -> Companion:
        """One for a cell of this target, which has it to itself.

        Raises:
            OSError, EOFError: it cannot be started.
        """
        for one in [one for one in self._waiting if not one.is_alive()]:
            self._waiting.remove(one)
            one.kill()
        one = next((one for one in self._waiting if one.target == target), None) or Companion(target, log_dir)
        if one in self._waiting:
            self._waiting.remove(one)
        self._busy.append(one)
        return one

    def take_back(self, one: Companion, record: CellRecord, *, at_most: int) -> None:
        """Keep it for the next cell of its target, unless this one may have harmed it.

        Args:
            one: the companion.
            record: of the cell that it was with.
            at_most: how many may wait; the one that has waited longest goes first.
        """
        one.served += 1
        if record.lost or any(result.outcome in _HARMFUL for result in record.results):
            self.discard(one)
            return
        self._busy.remove(one)
        if one.served >= CELLS:
            one.part()
            return
        self._waiting.append(one)
        while len(self._waiting) > at_most:
            self._waiting.pop(0).part()

    def discard(self, one: Companion) -> None:
        """End it: nothing is known of what state it is in."""
        self._busy.remove(one)
        one.kill()

    def end(self) -> None:
        """End them all."""
        for one in self._busy:
            one.kill()
        for one in self._waiting:
            one.part()
        self._busy, self._waiting = [], []


def main(target: str, log: str, cells: Connection) -> None:
    """Be the companion of a target; does not return."""
    child.shut_in(log)
    found = plugins.targets().get(target)
    assert isinstance(found, Accompanied)
    found.accompany(cells)
    child.end()
