"""The supervisor: runs each job in a process of its own, several side by side, and answers for every one of them.

It imports neither torch nor any model, unpickles nothing that a child sends, and lets no child outlive it.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from multiprocessing import connection

from modelmuster import plugins
from modelmuster.contracts import Job, SubjectSource, Target
from modelmuster.errors import InfrastructureError
from modelmuster.optional import Accompanied
from modelmuster.records import CellRecord
from modelmuster.runs import preload
from modelmuster.runs.attempt import Attempt
from modelmuster.runs.companions import Companions
from modelmuster.runs.forkserver import server

POLL_SECONDS = 0.05
"""How often limits are looked at: a process that eats 10 GB/s overshoots its memory limit by 0.5 GB."""
START_PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds before the start of a process is tried again: a server that is dying refuses its callers until it is gone."""


class Supervisor:
    """Runs jobs in contained processes."""

    def __init__(self, slots: int, place: str = "") -> None:
        """Make a supervisor; processes are started by `run`.

        Args:
            slots: how many jobs run side by side.
            place: this machine's name in `CellRecord.worker`; the host's name by default.
        """
        self.slots = slots
        self.per_device = 1
        self.worker = f"{place or socket.gethostname()}:{os.getpid()}"
        self._live: tuple[Attempt, ...] = ()
        self._companions = Companions()

    def run(self, jobs: Iterable[Job]) -> Iterator[CellRecord]:
        """One record per job, as they end. A job whose worker was lost gets one that says so.

        Raises:
            InfrastructureError: no process can be started any more.
        """
        waiting = deque(jobs)
        targets = {name: plugins.targets().get(name) for name in {job.cell.target for job in waiting}}
        server.preload(_modules(targets.values(), {check for job in waiting for check in job.cell.checks}))
        freed = True
        try:
            while waiting or self._live:
                if freed:
                    self._fill(waiting, targets)
                freed = False
                waitables = [waitable for attempt in self._live for waitable in attempt.waitables]
                connection.wait(waitables, timeout=POLL_SECONDS)
                for attempt in self._live:
                    attempt.drain()
                    attempt.watch()
                    if attempt.has_ended():
                        freed = True
                        self._live = tuple(other for other in self._live if other is not attempt)
                        yield self._finished(attempt)
        finally:
            self.kill()

    def running(self) -> dict[str, float]:
        """Ids of the running cells with their seconds; may be called from any thread."""
        return {attempt.job.cell.id: attempt.elapsed for attempt in self._live}

    def kill(self) -> None:
        """Kill every process that still runs."""
        for attempt in self._live:
            attempt.abandon()
        self._live = ()
        self._companions.end()

    def _fill(self, waiting: deque[Job], targets: dict[str, Target]) -> None:
        """Start jobs while there are free slots, passing over those whose resources are taken."""
        taken = Counter(resource for attempt in self._live for resource in attempt.target.resources)
        passed: list[Job] = []
        while waiting and len(self._live) < self.slots:
            job = waiting.popleft()
            target = targets[job.cell.target]
            if any(taken[resource] >= self.per_device for resource in target.resources):
                passed.append(job)
                continue
            taken.update(target.resources)
            self._live = (*self._live, self._start(job, target))
        waiting.extendleft(reversed(passed))

    def _finished(self, attempt: Attempt) -> CellRecord:
        record = attempt.finish([*(other.pid for other in self._live), *self._companions.pids])
        if attempt.companion is not None:
            self._companions.take_back(attempt.companion, record, at_most=self.slots)
        return record

    def _start(self, job: Job, target: Target) -> Attempt:
        for pause in (*START_PAUSES, None):
            companion = None
            try:
                if isinstance(target, Accompanied):
                    companion = self._companions.take(target.name, job.log_dir)
                return Attempt(job, target, worker=self.worker, companion=companion)
            except (OSError, EOFError) as error:
                failure = error
                if companion is not None:
                    self._companions.discard(companion)
            if pause is not None:
                time.sleep(pause)
        raise InfrastructureError(
            f"no process can be started: {type(failure).__name__}: {failure}",
            hint=f"the fork server's own words are in {job.log_dir}/fork-server.log",
        ) from failure


def _modules(targets: Iterable[Target], checks: Collection[str]) -> set[str]:
    """What the fork server imports for these targets and checks: third parties' checks are left to the children."""
    modules: set[str] = set()
    for target in targets:
        if target.start_method == "fork":
            modules.update(target.preload, [type(target).__module__])
            if not isinstance(target, SubjectSource):
                modules.update(preload.BUILDING)
            elif any(plugins.checks().is_ours(name) for name in checks):
                modules.add(preload.CHECKS)
    return modules
