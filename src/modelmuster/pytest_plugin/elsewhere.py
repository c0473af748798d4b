"""Tests of generated files on the machines of a cluster: collected and reported here, run where their target is.

All tests of a file on a target run together, in one process there, since they share a model. Their reports are what
pytest made of them there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from modelmuster.contracts import Cluster, FileJob, FileRun, Limits
from modelmuster.errors import MusterError
from modelmuster.pytest_plugin.files import crash_of, with_worker
from modelmuster.pytest_plugin.session import executor, keep_together

EACH_S = 60.0
"""How long one test may take, its share of the model's making included."""

_Key = tuple[str, str]
"""The id of a file and the name of a target."""


class FilesElsewhere:
    """The plug-in that `--muster-executor` starts where that is a cluster."""

    name = "modelmuster-elsewhere"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.runs: dict[_Key, tuple[FileRun, dict[str, list[dict[str, Any]]]]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Report what the test did on its machine; tests of other files run here, as always."""
        target = target_of(item)
        if target is None:
            return None
        key = (_file(item), target)
        if key not in self.runs:
            together = [other for other in item.session.items if (_file(other), target_of(other)) == key]
            self.runs[key] = self._run(together, target)
        run, by_test = self.runs[key]
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in _reports(item, target, run, by_test[_below(item)]):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave the cluster."""
        executor(session.config).close()

    def _run(self, items: Sequence[pytest.Item], target: str) -> tuple[FileRun, dict[str, list[dict[str, Any]]]]:
        path = items[0].path
        job = FileJob(
            name=path.name,
            text=path.read_text(encoding="utf-8"),
            tests=tuple(_below(item) for item in items),
            target=target,
            limits=Limits(wall_s=EACH_S * (1 + len(items))),
        )
        try:
            run = self.cluster.run_file(job)
        except MusterError as error:
            run = FileRun(worker="", reports=(), ending=str(error), log="")
        by_test: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in run.reports:
            report = json.loads(line)
            by_test[str(report["nodeid"]).partition("::")[2]].append(report)
        return run, by_test


def start(config: pytest.Config) -> None:
    """Register the plug-in where the options name a cluster.

    Raises:
        pytest.UsageError: there is no executor of that name.
    """
    chosen = executor(config)
    if isinstance(chosen, Cluster):
        keep_together(config)
        config.pluginmanager.register(FilesElsewhere(chosen), FilesElsewhere.name)


def target_of(item: pytest.Item) -> str | None:
    """The target of a generated file's test; None for any other test."""
    if item.get_closest_marker("muster") is None:
        return None
    target: str | None = getattr(getattr(item, "callspec", None), "params", {}).get("muster_target")
    return target


def _reports(item: pytest.Item, target: str, run: FileRun, told: Sequence[dict[str, Any]]) -> list[pytest.TestReport]:
    """The test's reports as they would be here, and a failure where the last of them is missing."""
    made = []
    for data in told:
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
        report.nodeid, report.location = item.nodeid, item.location
        if isinstance(report.longrepr, list):  # where a test was skipped: JSON has no tuples
            report.longrepr = tuple(report.longrepr)
        report.sections.append(("ran on", run.worker))
        if hasattr(report, "muster_file"):
            report.muster_file = with_worker(report.muster_file, run.worker)
        made.append(report)
    if made and made[-1].when == "teardown":
        return made
    message = f"its process {run.ending}" if run.worker else run.ending
    lost = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed",
        longrepr=f"{message}\n{run.log.rstrip()}".rstrip(),
        when="call",
        sections=[("ran on", run.worker)] if run.worker else [],
        muster_file=crash_of(item, target, message, run.worker or "nobody"),
    )
    return [*(report for report in made if report.when == "setup"), lost]


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _below(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[2]
