"""Cells of the catalogue as tests: one test per check, one contained process per cell, one run in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import msgspec
import pytest

from modelmuster import catalog, plugins
from modelmuster.contracts import Cluster, Executor, Job, Limits, Probe, SubjectSource
from modelmuster.errors import MusterError
from modelmuster.expectations import book
from modelmuster.pytest_plugin import session, targets
from modelmuster.pytest_plugin.items import PREFIX, RECORD, RUNNER, CheckItem, Runner, cell_id, items_of
from modelmuster.pytest_plugin.recording import Recording
from modelmuster.records import Cell, CellRecord, Plan, Scale
from modelmuster.runs import answers, folders, probes
from modelmuster.runs import plan as plans
from modelmuster.selection import Selection, family
from modelmuster.settings import Home

RUN_KEY = "muster_run"
"""Under which the processes of pytest-xdist are told the run they work for."""


class CellTests:
    """The plug-in that `--muster` starts, in the main process and in each of pytest-xdist's."""

    name = "modelmuster-cells"

    def __init__(
        self,
        config: pytest.Config,
        executor: Executor,
        plan: Plan,
        found: dict[str, Probe],
        wanted: Sequence[str],
    ) -> None:
        self.executor, self.plan, self.found, self.wanted = executor, plan, found, wanted
        self.home = Home.find()
        self.expectations = book.in_force()
        self.records: dict[str, CellRecord] = {}
        self.worker = hasattr(config, "workerinput")
        self.recording = None if self.worker else Recording(self.home, plan.run_id, found)

    @classmethod
    def start(cls, config: pytest.Config) -> Self:
        """Read the options and plan the run.

        Raises:
            pytest.UsageError: an option that cannot be read, or another run is writing here.
        """
        # Ids of cells, as pytest prints them, are no files: they choose from the plan.
        wanted = [argument for argument in config.args if argument.startswith(f"{PREFIX}::")]
        paths = [argument for argument in config.args if argument not in wanted]
        own_paths = config.args_source is pytest.Config.ArgsSource.ARGS
        config.args[:] = paths if own_paths else []
        session.keep_together(config)
        try:
            executor = session.executor(config)
            names = targets.chosen(config)
            told = getattr(config, "workerinput", {}).get(RUN_KEY)
            if told:
                found = msgspec.json.decode(told["found"], type=dict[str, Probe])
            else:
                found = executor.probes(names) if isinstance(executor, Cluster) else probes.probe_all(names)
            plan = _plan(config, names)
            if told:
                plan = msgspec.structs.replace(plan, run_id=told["run_id"])
            made = cls(config, executor, plan, found, wanted)
        except MusterError as error:
            raise pytest.UsageError(str(error)) from error
        runner: Runner = made
        config.stash[RUNNER] = runner
        return made

    def record_of(self, item: CheckItem) -> tuple[CellRecord, bool]:
        """The record of the item's cell, and whether it was run just now."""
        cell = item.cell
        if cell.id in self.records:
            return self.records[cell.id], False
        checks = [
            other.check for other in item.session.items if isinstance(other, CheckItem) and other.cell.id == cell.id
        ]
        job = self._job(msgspec.structs.replace(cell, checks=tuple(dict.fromkeys(checks))))
        record = answers.without_process(job, self.found.get(cell.target))
        if record is None:
            # Losses of workers come before it, in records of their own.
            *_, record = self.executor.run([job])
        self.records[cell.id] = self.expectations.marked(record)
        return self.records[cell.id], True

    def _job(self, cell: Cell) -> Job:
        own = isinstance(plugins.targets().get(cell.target), SubjectSource)
        return Job(
            run_id=self.plan.run_id,
            cell=cell,
            limits=Limits(),
            log_dir=str(folders.RunFolder(self.home.runs / self.plan.run_id).logs),
            cache_dir=str(self.home.cache),
            architecture=None if own else catalog.load().get(cell.model_type),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the cells before -k, -m and --lf choose."""
        made = items_of(session, filter(self._is_wanted, self.plan.cells))
        items += [item for item in made if not self.wanted or any(_is_below(item.nodeid, id_) for id_ in self.wanted)]
        if self.wanted and not items:
            raise pytest.UsageError(f"no cell has the id {self.wanted[0]}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What is left is the plan."""
        if not session.config.option.collectonly and session.items:
            self._begin([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a process of pytest-xdist which run it works for."""
        found = msgspec.json.encode(self.found).decode()
        node.workerinput[RUN_KEY] = {"run_id": self.plan.run_id, "found": found}
        node.workerinput[targets.WORKER_KEY] = targets.chosen(node.config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """The first process to have collected gives the plan; all collect the same."""
        if ids:
            self._begin(ids)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        """The record travels in the report of the test that ran the cell."""
        report = yield
        record = item.stash.get(RECORD, None)
        if record is not None:
            report.muster_cell = msgspec.json.encode(record).decode()
            del item.stash[RECORD]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """In the main process, every record goes to the journal at once."""
        found = getattr(report, "muster_cell", None)
        if found is not None and self.recording is not None:
            self.recording.add(msgspec.json.decode(found, type=CellRecord))

    def pytest_report_header(self) -> list[str]:
        """What will be real and what will not."""
        return [] if self.worker else [_header(name, self.found.get(name)) for name in self.found]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The counts of the matrix."""
        if self.recording is not None:
            self.recording.summarise(terminalreporter)

    def pytest_sessionfinish(self) -> None:
        """Close what was opened; the store takes the run in."""
        self.executor.close()
        if self.recording is not None:
            self.recording.end()

    def _is_wanted(self, cell: Cell) -> bool:
        """Whether an id that was given is of the cell, of something above it, or of a check below it."""
        own = cell_id(cell)
        return not self.wanted or any(_is_below(own, id_) or _is_below(id_, own) for id_ in self.wanted)

    def _begin(self, ids: Sequence[str]) -> None:
        plan = self._planned(ids)
        if self.recording is not None and not self.recording.begun and plan.cells:
            try:
                self.recording.begin(plan)
            except MusterError as error:
                raise pytest.UsageError(str(error)) from error

    def _planned(self, ids: Iterable[str]) -> Plan:
        """The plan, reduced to the checks whose tests have these ids."""
        chosen = set(ids)
        cells = []
        for cell in self.plan.cells:
            checks = tuple(check for check in cell.checks if f"{cell_id(cell)}::{check}" in chosen)
            if checks:
                cells.append(msgspec.structs.replace(cell, checks=checks))
        return msgspec.structs.replace(self.plan, cells=tuple(cells))


def _plan(config: pytest.Config, names: Sequence[str]) -> Plan:
    scale = config.getoption("muster_scale")
    if scale not in (Scale.TINY, Scale.DEFAULT):
        raise pytest.UsageError(f"unknown --muster-scale {scale!r}: choose tiny or default")
    families = tuple(family(name) for name in config.getoption("muster_family") or ())
    return plans.make_plan(
        Selection(families=families).architectures(catalog.load().architectures),
        targets=names,
        checks=plugins.checks().names(),
        scale=Scale(scale),
        command=f"pytest {' '.join(config.invocation_params.args)}",
    )


def _is_below(id_: str, other: str) -> bool:
    return f"{id_}::".startswith(f"{other}::")


def _header(name: str, probe: Probe | None) -> str:
    found = f"{probe.device_name or probe.reason}" if probe else "not looked for"
    state = "" if probe is None or probe.available else "not available: "
    return f"{targets.label(name)}, {state}{found}"
