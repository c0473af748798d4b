"""The executor of this machine: as many cells side by side as there are cores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from modelmuster.contracts import Job, Progress
from modelmuster.records import CellRecord
from modelmuster.runs.environment import usable_cores
from modelmuster.runs.executors.losses import LOST_RETRIES, quarantined
from modelmuster.runs.forkserver import server
from modelmuster.runs.isolation import Supervisor


class LocalExecutor:
    """Runs cells in child processes of this one. Implements `modelmuster.contracts.Executor`."""

    name = "local"

    def __init__(self, slots: int | None = None) -> None:
        """Make an executor; processes are started by `run`.

        Args:
            slots: How many cells run side by side; the usable cores by default.
        """
        self._supervisor = Supervisor(slots or usable_cores())

    @property
    def slots(self) -> int:
        """How many cells run side by side; may be set before `run`."""
        return self._supervisor.slots

    @slots.setter
    def slots(self, count: int) -> None:
        self._supervisor.slots = count

    @property
    def per_device(self) -> int:
        """How many cells share a device at a time."""
        return self._supervisor.per_device

    @per_device.setter
    def per_device(self, count: int) -> None:
        self._supervisor.per_device = count

    def run(self, jobs: Iterable[Job]) -> Iterator[CellRecord]:
        """One deciding record per job, and one for each loss of a worker.

        A cell whose worker was lost is run again, alone, when all others are done: should it be the one that takes its
        worker down, it harms no neighbour. When that happens each time, it is taken to be the cause.

        Raises:
            InfrastructureError: no process can be started any more.
        """
        waiting = list(jobs)
        by_id = {job.cell.id: job for job in waiting}
        lost: list[CellRecord] = []
        for record in self._supervisor.run(waiting):
            yield record
            if record.lost:
                lost.append(record)
        for first in lost:
            yield from self._again(by_id[first.cell.id])

    def progress(self) -> Progress:
        """The running cells."""
        return Progress(running=self._supervisor.running())

    def close(self) -> None:
        """Kill every cell, and the fork server with whatever is left below it."""
        self._supervisor.kill()
        server.stop()

    def _again(self, job: Job) -> Iterator[CellRecord]:
        for _ in range(LOST_RETRIES):
            job = replace(job, attempt=job.attempt + 1)
            [record] = self._supervisor.run([job])
            yield record
            if not record.lost:
                return
        yield quarantined(record, "at last alone")
