"""Results of generated files: left in the reports of their tests, recorded as one run when pytest ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import pytest

from modelmuster import catalog, plugins
from modelmuster.contracts import Job, Limits
from modelmuster.errors import CellFailure, MusterError
from modelmuster.expectations import book
from modelmuster.pytest_plugin.recording import Recording
from modelmuster.pytest_plugin.subjects import DTYPE, Opened
from modelmuster.records import (
    Cell,
    CellRecord,
    Evidence,
    Family,
    Inference,
    Measurement,
    Outcome,
    Plan,
    Result,
    Stage,
)
from modelmuster.runs import errors_as_data, verdict
from modelmuster.runs.plan import new_run_id
from modelmuster.settings import Home


class FileResult(msgspec.Struct, frozen=True, kw_only=True):
    """One test of a file on one target."""

    cell: Cell
    result: Result
    inference: Inference
    evidence: Evidence | None
    worker: str = "pytest"
    """Who ran it."""


def result_of(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, target_name: str) -> str:
    """What the journal is to know about a test, as JSON."""
    opened: Opened | None = getattr(item, "muster_opened", None)
    target = plugins.targets().get(target_name)
    result = _result(item, call, report, opened)
    if target.inference is Inference.MOCK:
        result = verdict.unproved(result)
    found = FileResult(
        cell=_cell(item, target.name), result=result, inference=target.inference, evidence=_evidence(opened)
    )
    return msgspec.json.encode(found).decode()


def foreseen(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, target_name: str) -> str | None:
    """Why a failure is no news: an entry in expectations speaks of the check that the test is called after."""
    if not report.failed or plugins.targets().get(target_name).inference is Inference.MOCK:
        return None
    cell, result = _cell(item, target_name), _result(item, call, report, None)
    check = result.check.removeprefix("test_")
    known = (entry.expectation for entry in _book().entries if entry.expectation.covers(cell, check))
    return next((one.shown for one in known if one.foresees(result)), None)


@cache
def _book() -> book.Book:
    try:
        return book.in_force()
    except MusterError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


def crash_of(item: pytest.Item, target_name: str, message: str, worker: str) -> str:
    """The same for a test whose process ended before it had reported.

    Args:
        item: the test.
        target_name: what it was to run on.
        message: how the process ended.
        worker: where.
    """
    result = Result(check=_name(item), outcome=Outcome.CRASH, stage=Stage.RUN, message=message)
    found = FileResult(
        cell=_cell(item, target_name),
        result=result,
        inference=plugins.targets().get(target_name).inference,
        evidence=None,
        worker=worker,
    )
    return msgspec.json.encode(found).decode()


def with_worker(left: str, worker: str) -> str:
    """What `result_of` gave, with who ran the test."""
    found = msgspec.json.decode(left, type=FileResult)
    return msgspec.json.encode(msgspec.structs.replace(found, worker=worker)).decode()


def record(left: Sequence[str], command: str) -> Recording:
    """Record what the reports left as one run; a problem with that is a note, since the tests themselves stand.

    Args:
        left: What `result_of` gave, of every test.
        command: The command line that ran them.
    """
    results = [msgspec.json.decode(text, type=FileResult) for text in left]
    by_cell: dict[str, list[FileResult]] = {}
    for result in results:
        by_cell.setdefault(result.cell.id, []).append(result)
    now = datetime.now(UTC)
    cells = [
        msgspec.structs.replace(found[0].cell, checks=tuple(dict.fromkeys(one.result.check for one in found)))
        for found in by_cell.values()
    ]
    plan = Plan(run_id=new_run_id(now), created_at=now.isoformat(), command=command, cells=tuple(cells))
    recording = Recording(Home.find(), plan.run_id, {})
    devices = {one.cell.target: one.evidence.device_name for one in results if one.evidence is not None}
    try:
        recording.begin(plan, devices)
        for cell in cells:
            recording.add(_record(plan.run_id, cell, by_cell[cell.id], now))
    except MusterError as error:
        recording.note = f"the results were not recorded: {error}"
    recording.end()
    return recording


def _result(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, opened: Opened | None) -> Result:
    error = None
    message = ""
    if call.excinfo is not None:
        error = errors_as_data.describe(call.excinfo.value)
        message = error.message
    if report.passed:
        outcome = Outcome.PASS
    elif report.skipped and not hasattr(report, "wasxfail"):
        outcome, error = (opened and opened.refused) or Outcome.SKIPPED, None
    else:
        wrong = call.excinfo is not None and call.excinfo.errisinstance(AssertionError)
        outcome = (
            Outcome.FAIL if wrong else errors_as_data.outcome_of(call.excinfo.value) if call.excinfo else Outcome.ERROR
        )
    return Result(
        check=_name(item),
        outcome=outcome,
        stage=None if report.passed else Stage.BUILD if call.when == "setup" else Stage.RUN,
        message=message,
        error=error if outcome is not Outcome.PASS else None,
        expected=getattr(report, "wasxfail", None),
        measurement=Measurement(duration_ms=1000 * report.duration),
    )


def _evidence(opened: Opened | None) -> Evidence | None:
    if opened is None or opened.session is None:
        return None
    try:
        return opened.session.evidence()
    except CellFailure:  # nothing ran through the session: the test used the module itself
        return None


def _record(run_id: str, cell: Cell, results: Sequence[FileResult], now: datetime) -> CellRecord:
    evidence = next((one.evidence for one in reversed(results) if one.evidence is not None), None)
    job = Job(run_id=run_id, cell=cell, limits=Limits(), log_dir="")
    last = {one.result.check: one.result for one in results}
    return CellRecord(
        run_id=run_id,
        cell=cell,
        attempt=1,
        final=True,
        worker=results[-1].worker,
        started_at=now.isoformat(),
        results=tuple(last[check] for check in cell.checks),
        provenance=verdict.provenance(job, results[0].inference, evidence),
        measurement=Measurement(duration_ms=sum(one.measurement.duration_ms or 0.0 for one in last.values())),
    )


def _cell(item: pytest.Item, target: str) -> Cell:
    marked = item.get_closest_marker("muster")
    assert marked is not None
    model_type = str(marked.kwargs.get("model_type"))
    return Cell(
        model_type=model_type,
        model_class=str(marked.kwargs.get("model_class")),
        family=_family(model_type),
        target=target,
        dtype=DTYPE,
    )


def _name(item: pytest.Item) -> str:
    return getattr(item, "originalname", None) or item.name


def _family(model_type: str) -> Family:
    known: Any = catalog.load()
    return known.get(model_type).family if model_type in known else Family.OTHER
