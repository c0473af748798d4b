"""The JUnit report of a made-up run, read back by the library that others read it with."""

import io

import pytest
from junitparser import Error, Failure, JUnitXml, Properties, Skipped

from modelmuster.records import Outcome
from modelmuster.report import junit
from modelmuster.report.xml_text import xml_text


@pytest.fixture(scope="module")
def cases(data):
    document = JUnitXml.fromfile(io.BytesIO(junit.render(data)))
    return {(suite.name, case.classname, case.name): case for suite in document for case in suite}


@pytest.fixture(scope="module")
def results(data):
    found = {}
    for place, column in enumerate(data.columns):
        for row in data.rows:
            cell = row.cells[place]
            for result in cell.results if cell else ():
                suite = f"{column.target} {column.dtype} {column.scale}"
                found.setdefault((suite, cell.cell.family.value, cell.cell.model_type, result.check), (cell, result))
    return found


def find(cases, key):
    suite, family, model_type, check = key
    return [
        case
        for (name, classname, asked), case in cases.items()
        if name == suite and asked == check and classname.startswith(f"{family}.{model_type}.")
    ]


def test_every_planned_check_is_a_case(data):
    planned = sum(len(cell.results) for row in data.rows for cell in row.cells if cell)
    document = JUnitXml.fromfile(io.BytesIO(junit.render(data)))
    assert sum(len(list(suite)) for suite in document) == planned


def test_only_real_passes_are_passes_and_each_outcome_has_its_kind(cases, results):
    seen = set()
    for key, (cell, result) in results.items():
        for case in find(cases, key):
            seen.add(result.outcome)
            kinds = [type(entry) for entry in case.result]
            if cell.mock:
                assert kinds == [Skipped]
                assert "🔷 mock" in case.result[0].message
            elif result.outcome is Outcome.PASS:
                assert kinds == []
            elif result.expected is not None or not result.outcome.decided:
                assert kinds == [Skipped]
            else:
                assert kinds == [Failure if result.outcome is Outcome.FAIL else Error]
    assert {Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.CRASH, Outcome.UNAVAILABLE} <= seen


def test_each_case_says_whether_it_was_real_and_how_to_repeat_it(cases, results):
    for key, (cell, _) in results.items():
        for case in find(cases, key):
            facts = {entry.name: entry.value for entry in case.child(Properties)}
            assert facts["reproduce"].startswith("muster run ")
            if cell.record is not None:
                assert facts["inference"] in {"🚀 real", "🔷 mock"}


def test_control_characters_do_not_break_the_document():
    assert xml_text("a\x00b\x1b[31m\ud800") == "a�b�[31m�"
