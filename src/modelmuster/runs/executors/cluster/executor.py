"""The executor of several machines. Implements `modelmuster.contracts.Executor` and `Cluster`."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from modelmuster import plugins
from modelmuster.contracts import FileJob, FileRun, Job, Node, Probe, Progress
from modelmuster.errors import InfrastructureError
from modelmuster.records import CellRecord, Environment, Measurement, Outcome
from modelmuster.runs import folders, verdict
from modelmuster.runs.executors.cluster import declared, files, joining, task
from modelmuster.runs.executors.losses import LOST_RETRIES, quarantined

WAIT_S = 0.25
NODES_EVERY_S = 2.0
SILENCE_S = 10.0
"""How long after the death of a machine its cells may still be told of. Behind a cut link connections stay open, and
Ray, which knows that the machine is gone, never ends the streams of its tasks."""
PATIENCE_S = 90.0
"""How long a cell waits for a machine that could run it to come back: Ray takes a minute to notice a cut link."""


@dataclass(slots=True)
class Flight:
    """A job that was handed to Ray."""

    job: Job
    stream: Any
    """The generator of what its worker says."""
    worker: str = ""
    handed_over: float = field(default_factory=time.monotonic)
    """Monotonic clock, as is the next."""
    started: float | None = None
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class RayExecutor:
    """Hands cells to the workers of a Ray cluster, a few more than can run, and writes down who did what."""

    name = "ray"

    def __init__(self) -> None:
        self.address: str | None = None
        self.allow_mixed = False
        self.per_device = 1
        self.patience_s = PATIENCE_S
        self._most: int | None = None
        self._environments: dict[str, Environment] | None = None
        self._software: str | None = None
        self._nodes: tuple[Node, ...] = ()
        self._nodes_at = 0.0
        self._heard: dict[str, float] = {}
        self._died: dict[str, float] = {}
        self._flights: tuple[Flight, ...] = ()

    @property
    def slots(self) -> int:
        """How many cells run side by side: as many as the cluster has cores, unless fewer were asked for."""
        cores = sum(node.slots for node in self._nodes if node.alive and node.targets)
        return min(self._most or cores, cores)

    @slots.setter
    def slots(self, count: int) -> None:
        self._most = count

    def connect(self) -> None:
        """Join the cluster and get to know its machines.

        Raises:
            UsageError: no address, no token, machines that differ, or none that was started by `muster worker`.
            MissingDependency: Ray is not installed.
            InfrastructureError: nobody answers there.
        """
        if self._environments is not None:
            return
        joining.join(self.address)
        self._look(at_once=True)
        if not any(node.alive and node.targets for node in self._nodes):
            joining.load().shutdown()
            raise InfrastructureError(
                f"no machine of the cluster at {self.address} says what it can run",
                hint="start each of them with: muster worker --address HOST:PORT",
            )
        self._environments = joining.describe_nodes()
        if not self.allow_mixed:
            joining.refuse_mixed(self._environments)
            self._software = declared.software_hash(next(iter(self._environments.values())))

    def probes(self, names: Iterable[str]) -> dict[str, Probe]:
        """What the machines declare about these targets."""
        found, environments = {}, self.environments().values()
        for name in names:
            having = [node.name for node in self._nodes if node.alive and name in node.targets]
            device = next((entry.devices[name] for entry in environments if name in entry.devices), "")
            found[name] = (
                Probe(available=True, reason=f"on {', '.join(having)}", device_name=device)
                if having
                else Probe(
                    available=False,
                    reason=f"no machine of the cluster has {name}",
                    remedy="on one that has it, type: muster worker --address HOST:PORT",
                )
            )
        return found

    def environments(self) -> dict[str, Environment]:
        """Each machine with its software, by name; those that joined since are asked now."""
        self.connect()
        assert self._environments is not None
        self._environments |= joining.describe_nodes(self._environments)
        return self._environments

    def run(self, jobs: Iterable[Job]) -> Iterator[CellRecord]:
        """One deciding record per job, and one for each loss of a worker.

        A cell whose worker or machine was lost goes back to the end of the line; on the third loss it is taken to be
        the cause. A cell that no living machine can run waits `patience_s` for one, and is then left to a resumption.
        """
        self.connect()
        waiting = deque(jobs)
        losses: Counter[str] = Counter()
        stuck_since: float | None = None
        while waiting or self._flights:
            self._look()
            self._fill(waiting)
            for flight, record in self._news():
                yield record
                if not record.lost:
                    continue
                losses[record.cell.id] += 1
                if losses[record.cell.id] > LOST_RETRIES:
                    yield quarantined(record, "on whatever machine it was")
                else:
                    waiting.append(replace(flight.job, attempt=flight.job.attempt + 1))
            if any(map(self._has_place, [*waiting, *(flight.job for flight in self._flights)])):
                stuck_since = None
                continue
            stuck_since = stuck_since or time.monotonic()
            if time.monotonic() > stuck_since + self.patience_s:
                yield from self._given_up(waiting)
                return
            time.sleep(WAIT_S)

    def run_file(self, job: FileJob) -> FileRun:
        """Tests of a generated file, on a machine that has their target.

        Raises:
            InfrastructureError: no machine has it, or each worker that was given them was lost.
        """
        self.connect()
        ray = joining.load()
        wanted = declared.demand(plugins.targets().get(job.target), self.per_device, self._software)
        remote = ray.remote(max_retries=0, num_cpus=job.limits.threads)(files.run_file).options(resources=wanted)
        lost = ""
        for _ in range(LOST_RETRIES + 1):
            asked = remote.remote(msgspec.json.encode(job))
            self._wait_for(asked, job.target)
            try:
                return files.read(ray.get(asked))
            except (ray.exceptions.RayError, msgspec.DecodeError) as error:
                lost = _reason(error, ray)
        raise InfrastructureError(f"the worker of {job.name} was lost {LOST_RETRIES + 1} times: {lost}")

    def progress(self) -> Progress:
        """The running cells with their workers, and the machines."""
        now = time.monotonic()
        running = [flight for flight in self._flights if flight.started is not None]
        return Progress(
            running={flight.job.cell.id: now - (flight.started or now) for flight in running},
            places={flight.job.cell.id: flight.worker for flight in running},
            nodes=tuple(
                replace(node, silent_s=0.0 if node.alive else now - self._heard.get(node.name, now))
                for node in self._nodes
            ),
        )

    def close(self) -> None:
        """Leave the cluster; Ray ends this run's workers, and each of them takes its cells along."""
        self._flights = ()
        if self._environments is not None:
            joining.load().shutdown()
            self._environments = None

    def _look(self, *, at_once: bool = False) -> None:
        """Take note of machines that came or went."""
        now = time.monotonic()
        if not at_once and now < self._nodes_at + NODES_EVERY_S:
            return
        self._nodes_at = now
        self._nodes = tuple(joining.nodes())
        self._heard.update((node.name, now) for node in self._nodes if node.alive)
        for node in self._nodes:
            if not node.alive:
                self._died.setdefault(node.name, now)

    def _fill(self, waiting: deque[Job]) -> None:
        """Hand over as many jobs as can run, and one more per machine, lest a worker wait for us."""
        ahead = 0 if self._most else sum(node.alive for node in self._nodes)
        room = self.slots + ahead - sum(self._has_place(flight.job) for flight in self._flights)
        for _ in range(len(waiting)):
            if room <= 0:
                return
            job = waiting.popleft()
            if self._has_place(job):
                self._flights = (*self._flights, self._hand_over(job))
                room -= 1
            else:
                waiting.append(job)

    def _hand_over(self, job: Job) -> Flight:
        ray = joining.load()
        target = plugins.targets().get(job.cell.target)
        wanted = declared.demand(target, self.per_device, self._software)
        remote = ray.remote(max_retries=0, num_returns="streaming", num_cpus=job.limits.threads)(task.run_cell)
        return Flight(job, remote.options(resources=wanted).remote(msgspec.json.encode(job)))

    def _news(self) -> Iterator[tuple[Flight, CellRecord]]:
        """Records of the flights that ended."""
        ray = joining.load()
        if not self._flights:
            return
        by_stream = {flight.stream: flight for flight in self._flights}
        ready, _ = ray.wait(list(by_stream), num_returns=len(by_stream), timeout=WAIT_S, fetch_local=False)
        for stream in ready:
            flight = by_stream.pop(stream)
            record = self._hear(flight, ray)
            if record is not None:
                self._land(flight)
                yield flight, record
        for flight in by_stream.values():
            if self._is_stranded(flight):
                self._land(flight)
                ray.cancel(flight.stream, force=True)
                yield flight, _lost(flight, "its machine is gone")

    def _land(self, flight: Flight) -> None:
        self._flights = tuple(other for other in self._flights if other is not flight)

    def _is_stranded(self, flight: Flight) -> bool:
        """Whether it is on a machine that died a while ago, or may be: handed over before, and not begun since."""
        now, place = time.monotonic(), flight.worker.rpartition(":")[0]
        return any(
            now > died + SILENCE_S and (place == name or (not place and flight.handed_over < died))
            for name, died in self._died.items()
        )

    def _hear(self, flight: Flight, ray: Any) -> CellRecord | None:
        """Take in the next thing that the worker says; the record when it is that, or when the worker was lost."""
        try:
            said = task.decode(ray.get(next(flight.stream)))
        except StopIteration:
            return _lost(flight, "its worker ended without a record")
        except (ray.exceptions.RayError, msgspec.DecodeError) as error:
            return _lost(flight, _reason(error, ray))
        if isinstance(said, task.Started):
            flight.worker, flight.started = said.worker, time.monotonic()
            return None
        if said.log:
            folders.write_log(flight.job, said.log)
        return said.record

    def _wait_for(self, asked: Any, target: str) -> None:
        """Return when there is an answer, good or bad.

        Raises:
            InfrastructureError: for `patience_s`, no machine had the target.
        """
        ray = joining.load()
        had_at = time.monotonic()
        while not ray.wait([asked], timeout=WAIT_S, fetch_local=False)[0]:
            self._look()
            if self._is_had(target):
                had_at = time.monotonic()
            elif time.monotonic() > had_at + self.patience_s:
                ray.cancel(asked, force=True)
                raise InfrastructureError(f"no machine with {target} was left in the cluster")

    def _has_place(self, job: Job) -> bool:
        return self._is_had(job.cell.target)

    def _is_had(self, target: str) -> bool:
        return any(node.alive and target in node.targets for node in self._nodes)

    def _given_up(self, waiting: Iterable[Job]) -> Iterator[CellRecord]:
        """Nothing but cells without a machine is left: say so of each."""
        for flight in self._flights:
            joining.load().cancel(flight.stream, force=True)
        flights = [*self._flights, *(Flight(job, None) for job in waiting)]
        self._flights = ()
        for flight in flights:
            yield _lost(flight, f"no machine with {flight.job.cell.target} was left in the cluster")


def _reason(error: Exception, ray: Any) -> str:
    """Why a worker was lost, in one line; of what was raised in it, the last line of its traceback."""
    last = str(error).strip().splitlines()[-1] if isinstance(error, ray.exceptions.RayTaskError) else ""
    return f"{type(error).__name__}: {last or str(error).partition(chr(10))[0]}"


def _lost(flight: Flight, why: str) -> CellRecord:
    seconds = None if flight.started is None else time.monotonic() - flight.started
    return verdict.record(
        flight.job,
        plugins.targets().get(flight.job.cell.target).inference,
        verdict.Account(),
        verdict.Ending(Outcome.NOT_RUN, f"the worker was lost: {why}", lost=True),
        worker=flight.worker,
        started_at=flight.started_at,
        measurement=Measurement(duration_ms=None if seconds is None else 1000 * seconds),
        log_tail="",
    )
