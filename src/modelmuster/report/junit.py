"""JUnit XML, for the test pages of CI systems: a suite per target, a case per check, provenance in its properties."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from modelmuster.errors import MissingDependency
from modelmuster.records import Inference, Outcome
from modelmuster.report.xml_text import xml_text

if TYPE_CHECKING:
    from junitparser import TestCase, TestSuite

    from modelmuster.records import Result
    from modelmuster.report.model import Column, ReportCell, ReportData

_BROKEN = frozenset({Outcome.ERROR, Outcome.CRASH, Outcome.OOM, Outcome.TIMEOUT})
"""What JUnit calls an error: something else than a wrong answer stopped the check."""


def render(data: ReportData) -> bytes:
    """The document. A mock cell is skipped in it, whatever it answered: nothing of a model was tested.

    Raises:
        MissingDependency: junitparser is not installed.
    """
    try:
        from junitparser import JUnitXml, TestSuite
    except ImportError as error:
        raise MissingDependency("junitparser", purpose="the JUnit report", extra="ci") from error
    document = JUnitXml("modelmuster")
    for place, column in enumerate(data.columns):
        suite = TestSuite(xml_text(f"{column.target} {column.dtype} {column.scale}"))
        suite.timestamp = data.created_at
        suite.hostname = data.environment.hostname if data.environment else ""
        _describe(suite, data, column)
        for row in data.rows:
            cell = row.cells[place]
            for result in cell.results if cell else ():
                assert cell is not None
                suite.add_testcase(_case(cell, result))
        document.add_testsuite(suite)
    written = io.BytesIO()
    document.write(written, pretty=True)
    return written.getvalue()


def _describe(suite: TestSuite, data: ReportData, column: Column) -> None:
    suite.add_property("run", data.run_id)
    suite.add_property("command", xml_text(data.command))
    for summary in data.targets:
        if summary.column == column:
            suite.add_property("devices", xml_text(", ".join(summary.devices)))
    for package in data.environment.packages if data.environment else ():
        suite.add_property(f"package.{package.name}", package.version or "missing")


def _case(cell: ReportCell, result: Result) -> TestCase:
    from junitparser import Error, Failure, Properties, Property, Skipped, SystemOut, TestCase

    who = cell.cell
    case = TestCase(
        name=result.check,
        classname=xml_text(f"{who.family.value}.{who.model_type}.{who.model_class or 'no-class'}"),
        time=(result.measurement.duration_ms or 0.0) / 1000,
    )
    message = xml_text(result.message)
    if cell.mock:
        case.result = [Skipped(f"{Inference.MOCK.mark} mock, no model ran: {result.outcome.value} {message}".rstrip())]
    elif result.outcome is not Outcome.PASS:
        if result.expected is not None:
            made = Skipped(xml_text(f"expected {result.outcome.value}: {result.expected}: {message}"))
        elif result.outcome in _BROKEN:
            made = Error(message, result.error.type if result.error else result.outcome.value)
        elif result.outcome is Outcome.FAIL:
            made = Failure(message, result.outcome.value)
        else:
            made = Skipped(f"{result.outcome.value}: {message}")
        if result.error is not None and not isinstance(made, Skipped):
            made.text = xml_text(f"{result.error.traceback}\n{cell.reproduce} --check {result.check}")
        case.result = [made]
    properties = Properties()
    for name, value in _facts(cell, result).items():
        properties.add_property(Property(name, xml_text(str(value))))
    case.append(properties)
    if cell.record is not None and cell.record.log_tail and case.result and not isinstance(case.result[0], Skipped):
        log = SystemOut()
        log.text = xml_text(cell.record.log_tail)
        case.append(log)
    return case


def _facts(cell: ReportCell, result: Result) -> dict[str, object]:
    """Numbers and provenance of a result, in words that a reader of the XML can search for."""
    record = cell.record
    facts: dict[str, object] = {
        "outcome": result.outcome.value,
        "reproduce": f"{cell.reproduce} --check {result.check}",
    }
    if record is not None:
        inference = record.provenance.inference
        facts |= {"inference": f"{inference.mark} {inference.value}", "weights": record.provenance.weights.value}
        evidence = record.provenance.evidence
        if evidence is not None:
            facts |= {
                "device": evidence.device_name,
                "device_kind": evidence.device_kind.value,
                "precision": evidence.precision,
                "route": evidence.route,
            }
    if result.flaky:
        facts["flaky"] = True
    facts |= {f"figure.{name}": value for name, value in result.figures.items()}
    return facts
