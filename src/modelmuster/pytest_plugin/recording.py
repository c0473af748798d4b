"""What tests found, in the same journal and store as `muster run`: written by pytest's main process alone."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from modelmuster import store
from modelmuster.contracts import Probe
from modelmuster.errors import MusterError
from modelmuster.records import DECIDED, CellRecord, Inference, Outcome, Plan
from modelmuster.runs import environment, folders, journal, locking
from modelmuster.settings import Home


class Recording:
    """One run: a folder with a plan, a journal that grows, and at the end the store."""

    def __init__(self, home: Home, run_id: str, found: Mapping[str, Probe]) -> None:
        self.home, self.run_id, self.found = home, run_id, found
        self.planned = 0
        self.counts: Counter[Outcome] = Counter()
        self.mock = 0
        self.note = ""
        self.devices: dict[str, str] = {}
        self._open = contextlib.ExitStack()
        self._journal: journal.Journal | None = None

    @property
    def begun(self) -> bool:
        """Whether the plan is written."""
        return self._journal is not None

    def begin(self, plan: Plan, devices: Mapping[str, str] | None = None) -> None:
        """Write the plan and open the journal.

        Args:
            plan: What is to run.
            devices: Names of devices by target, where tests themselves have seen them.

        Raises:
            MusterError: another run is writing in this home, or it cannot be written.
        """
        now = environment.capture(self.found)
        self.devices = dict(devices or {})
        try:
            self._open.enter_context(locking.held(self.home, purpose=f"pytest, run {self.run_id}"))
            folder = folders.create_run(
                self.home, plan, msgspec.structs.replace(now, devices=now.devices | self.devices)
            )
            self._journal = self._open.enter_context(journal.Journal(folder.journal))
        except MusterError:
            self._open.close()
            raise
        self.planned = sum(len(cell.checks) for cell in plan.cells)

    def add(self, record: CellRecord) -> None:
        """Put a record on the disk."""
        assert self._journal is not None
        self._journal.append(record)
        if record.provenance.inference is Inference.MOCK:
            self.mock += len(record.results)
        else:
            self.counts.update(result.outcome for result in record.results)

    def end(self) -> None:
        """Close the journal and bring the store up to date."""
        if self._journal is None:
            return
        self._open.close()
        try:
            store.ingest(self.home, [self.run_id])
        except MusterError as error:
            self.note = f"the store is not up to date: {error}"

    def summarise(self, terminal: Any) -> None:
        """The counts, with their rate and the run's id."""
        terminal.section("muster")
        if not self.begun:
            terminal.line(self.note or "nothing was planned")
            return
        counted = ", ".join(f"{self.counts[outcome]} {words(outcome)}" for outcome in Outcome if self.counts[outcome])
        decided = sum(self.counts[outcome] for outcome in DECIDED)
        for target, device in self.devices.items():
            terminal.line(f"{target} was {device}")
        terminal.line(f"{counted or 'nothing reached'} of {self.planned} planned")
        if decided:
            terminal.line(f"pass rate {self.counts[Outcome.PASS]} of {decided} decided")
        if self.mock:
            terminal.line(f"{Inference.MOCK.mark} mock {self.mock}: not counted, it proves nothing about a model")
        terminal.line(f"run {self.run_id}: muster matrix, muster results, muster report")
        if self.note:
            terminal.line(self.note)


def words(outcome: Outcome) -> str:
    """The outcome's name as prose."""
    return outcome.value.replace("_", " ")
