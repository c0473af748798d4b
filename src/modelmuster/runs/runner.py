"""Runs a plan: what is missing from its journal, each record on the disk at once, first failures again alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from modelmuster import plugins
from modelmuster.contracts import Cluster, Executor, Job, Limits, Probe, Progress
from modelmuster.errors import UsageError
from modelmuster.expectations.book import Book, Stale
from modelmuster.records import (
    DECIDED,
    FINDINGS,
    Architecture,
    Cell,
    CellRecord,
    Environment,
    Outcome,
    Plan,
    Result,
)
from modelmuster.runs import answers, environment, folders, journal, locking, misfits, ordering, probes
from modelmuster.runs.counts import Counts
from modelmuster.runs.folders import RunFolder
from modelmuster.runs.status import StatusFile
from modelmuster.settings import Home

PROGRESS_SECONDS = 0.25


@dataclass(slots=True)
class RunSummary:
    """What became of a run."""

    run_id: str
    planned: int
    """Cells of the plan."""
    recorded: int = 0
    """Cells with a final record, earlier sessions of the run included."""
    results: Counts = field(default_factory=Counts)
    """Results of those cells."""
    flaky: int = 0
    """Results that differed when their cell was repeated alone."""
    unexpected: int = 0
    """Findings that no entry of the expectations foresaw."""
    stale: list[Stale] = field(default_factory=list)
    """Expected failures that passed."""
    interrupted: bool = False
    seconds: float = 0.0
    """Of this session of the run."""

    @property
    def counts(self) -> Counter[Outcome]:
        """Results of real inference by outcome."""
        return self.results.real

    def add(self, record: CellRecord, expectations: Book) -> None:
        """Count a final record."""
        self.recorded += 1
        self.unexpected += sum(unforeseen(result) for result in record.results)
        self.stale.extend(expectations.stale(record))
        self.results.add(record)
        self.flaky += sum(result.flaky for result in record.results)


def run(
    plan: Plan,
    executor: Executor,
    home: Home,
    *,
    resume: bool = False,
    limits: Limits | None = None,
    repeat_failures: bool = True,
    found: Mapping[str, Probe] | None = None,
    expectations: Book | None = None,
    on_record: Callable[[CellRecord], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> RunSummary:
    """Run every cell of the plan that has no final record yet. Closes the executor.

    A cell with a finding that nothing foresaw is repeated alone once, after all others; both attempts are kept, and
    results whose outcome differs are marked flaky. An interruption (Ctrl-C) kills what runs and keeps what is recorded.

    Args:
        plan: What to run; written to its folder unless this is a resumption.
        executor: Brings cells to processes.
        home: Where the run's folder lies.
        resume: Go on with a run whose folder exists.
        limits: Of each cell.
        repeat_failures: Whether cells with a finding are repeated.
        found: What the targets found on this machine; looked up when it is not given.
        expectations: The known failures that hold here; none when it is not given.
        on_record: Told about each record when it is on the disk.
        on_progress: Told a few times a second what is running; called from another thread.

    Raises:
        RunInProgress: another process writes in this home.
        UsageError: the run exists already, the environment has changed since it began, or installed packages break
            one another.
        UnknownName: a target that is not installed.
        InfrastructureError: no process can be started, or the disk refuses; what was recorded stays.
    """
    began = time.monotonic()
    names = sorted({cell.target for cell in plan.cells})
    for name in names:
        plugins.targets().get(name)
    misfits.require_fitting_packages(names)
    summary = RunSummary(plan.run_id, len(plan.cells))
    with locking.held(home, purpose=f"run {plan.run_id}"):
        try:
            cluster = executor if isinstance(executor, Cluster) else None
            if found is None:
                found = cluster.probes(names) if cluster else probes.probe_all(names)
            folder = _folder(plan, home, environment.capture(found), resume=resume)
            if cluster:
                folder.keep_environments(cluster.environments())
            known = expectations or Book()
            session = _Session(plan, folder, home, executor, limits or Limits(), found, known, summary, on_record)
            with _ticking(executor, StatusFile(folder.status, plan.run_id, len(plan.cells)), summary, on_progress):
                session.go(repeat_failures=repeat_failures)
            if cluster:
                folder.keep_environments(cluster.environments())
        except KeyboardInterrupt:
            summary.interrupted = True
        finally:
            executor.close()
        summary.seconds = time.monotonic() - began
        return summary


@dataclass(slots=True)
class _Session:
    """One sitting at a run."""

    plan: Plan
    folder: RunFolder
    home: Home
    executor: Executor
    limits: Limits
    found: Mapping[str, Probe]
    expectations: Book
    summary: RunSummary
    on_record: Callable[[CellRecord], None] | None
    catalog: dict[str, Architecture] = field(default_factory=dict)

    def go(self, *, repeat_failures: bool) -> None:
        attempts: dict[str, CellRecord] = {}
        for record in journal.read(self.folder.journal):
            attempts[record.cell.id] = record
        for record in attempts.values():
            if record.final:
                self.summary.add(record, self.expectations)
        with journal.Journal(self.folder.journal) as writer:
            again = [record for record in attempts.values() if not record.final]
            again += self._first_attempts(writer, attempts, repeat_failures=repeat_failures)
            for first in again:
                for record in self.executor.run([self._job(first.cell, first.attempt + 1)]):
                    second = _compared(self.expectations.marked(record), first)
                    self._keep(writer, msgspec.structs.replace(second, final=not record.lost))

    def _first_attempts(
        self, writer: journal.Journal, attempts: Mapping[str, CellRecord], *, repeat_failures: bool
    ) -> list[CellRecord]:
        """Run what has no record at all; gives the records of cells to repeat."""
        again: list[CellRecord] = []
        jobs: list[Job] = []
        for cell in self.plan.cells:
            if cell.id in attempts:
                continue
            job = self._job(cell)
            if (answer := answers.without_process(job, self.found.get(cell.target))) is not None:
                self._keep(writer, answer)
            else:
                jobs.append(job)
        if jobs:
            jobs = ordering.longest_first(jobs, ordering.measured_durations(self.home))
        for made in self.executor.run(jobs) if jobs else ():
            record = self.expectations.marked(made)
            if record.lost:
                self._keep(writer, msgspec.structs.replace(record, final=False))
            elif repeat_failures and any(unforeseen(result) for result in record.results):
                first = msgspec.structs.replace(record, final=False)
                again.append(first)
                self._keep(writer, first)
            else:
                self._keep(writer, record)
        return again

    def _keep(self, writer: journal.Journal, record: CellRecord) -> None:
        writer.append(record)
        if record.final:
            self.summary.add(record, self.expectations)
        if self.on_record is not None:
            self.on_record(record)

    def _job(self, cell: Cell, attempt: int = 1) -> Job:
        return Job(
            run_id=self.plan.run_id,
            cell=cell,
            limits=self.limits,
            log_dir=str(self.folder.logs),
            attempt=attempt,
            cache_dir=str(self.home.cache),
            measuring=self.plan.measuring,
            architecture=self._architecture(cell),
        )

    def _architecture(self, cell: Cell) -> Architecture | None:
        """The catalogue's entry of the cell's type; None where it has none."""
        if not self.catalog:
            from modelmuster import catalog

            self.catalog.update((entry.model_type, entry) for entry in catalog.load().architectures)
        return self.catalog.get(cell.model_type)


def unforeseen(result: Result) -> bool:
    """Whether it is a finding that no entry of the expectations speaks of."""
    return result.outcome in FINDINGS and result.expected is None


def _folder(plan: Plan, home: Home, now: Environment, *, resume: bool) -> RunFolder:
    if not resume:
        return folders.create_run(home, plan, now)
    folder = folders.open_run(home, plan.run_id)
    before = folder.read_environment()
    if before is not None and (changes := _changes(before, now)):
        raise UsageError(
            f"the environment has changed since the run {plan.run_id} began: {', '.join(changes)}",
            hint="results of two environments must not be mixed: start a new run",
        )
    return folder


def _changes(before: Environment, now: Environment) -> list[str]:
    """What differs of that which changes results: Python, processor and package versions."""
    return environment.differences(
        {"cpu": before.cpu, **environment.software(before)}, {"cpu": now.cpu, **environment.software(now)}
    )


def _compared(second: CellRecord, first: CellRecord) -> CellRecord:
    """The deciding record, its results marked flaky where the first attempt was decided otherwise."""
    earlier = {result.check: result.outcome for result in first.results}

    def marked(result: Result) -> Result:
        outcome = earlier.get(result.check)
        differs = outcome in DECIDED and outcome is not result.outcome
        return msgspec.structs.replace(result, flaky=True) if differs else result

    return msgspec.structs.replace(second, results=tuple(marked(result) for result in second.results))


@contextmanager
def _ticking(
    executor: Executor, status: StatusFile, summary: RunSummary, on_progress: Callable[[Progress], None] | None
) -> Iterator[None]:
    """Tell from a thread of its own what is running, until the block ends."""
    stopped = threading.Event()

    def tick() -> None:
        while not stopped.wait(PROGRESS_SECONDS):
            progress = executor.progress()
            status.tell(progress, summary.recorded)
            if on_progress is not None:
                on_progress(progress)

    thread = threading.Thread(target=tick, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        status.end(summary.recorded)
