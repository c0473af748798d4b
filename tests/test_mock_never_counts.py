"""No path leads from a mock record into a rate, ranking, chart, recommendation, badge or gate.

Shown by comparison: every figure of a run is the same when its mock cells are taken away, whatever they hold; even
forged ones that claim to have passed. And shown of the code: whoever reads answers from the store says what it does
about mocks.
"""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import modelmuster
from modelmuster import store
from modelmuster.history import baselines
from modelmuster.history.changes import compare
from modelmuster.history.gate import Rules, judge
from modelmuster.records import DeviceKind, Evidence, Family, Inference, Outcome, Plan, Provenance, Weights
from modelmuster.report import badges
from modelmuster.report.assemble import assemble
from modelmuster.runs.counts import Counts
from modelmuster.settings import Home
from modelmuster.views.failures import failures
from modelmuster.views.file_tests import file_tests
from modelmuster.views.matrix import matrix
from modelmuster.views.narrowing import narrow
from modelmuster.views.rates import tally
from modelmuster.views.runs import find, runs
from modelmuster.views.summary import summary
from run_folders import make_cell, make_record, make_result, write_run

IN_MEMORY, IN_A_STORE = 200, 25
"""Examples: runs are made up in memory, and some of them stored."""
CHECKS = ("forward", "reference", "test_generated")
TARGETS = {"torch:cpu": Inference.REAL, "openvino:cpu": Inference.REAL, "mock": Inference.MOCK, "toy": Inference.MOCK}
FAMILIES = {"bert": Family.ENCODER_ONLY, "llama": Family.DECODER_ONLY, "vit": Family.VISION}

rows = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(Outcome),
        "mock": st.booleans(),
        "expected": st.booleans(),
        "flaky": st.booleans(),
        "results": st.integers(1, 9),
    }
)


@st.composite
def cell_records(draw):
    """Records of every architecture on a real target and of some on others, with any outcomes."""
    made = []
    for model_type, family in FAMILIES.items():
        for target in ["torch:cpu", *draw(st.lists(st.sampled_from(list(TARGETS)[1:]), unique=True))]:
            inference = TARGETS[target]
            cell = make_cell(model_type, target, family=family, checks=CHECKS)
            answers = [
                make_result(
                    check,
                    draw(st.sampled_from(Outcome)),
                    flaky=draw(st.booleans()),
                    expected=draw(st.sampled_from([None, "known upstream"])),
                    figures={"mock_held": draw(st.booleans())},
                )
                for check in CHECKS
            ]
            kind = draw(st.sampled_from(DeviceKind))
            evidence = draw(
                st.sampled_from([None, Evidence(device_name="Intel Xeon", device_kind=kind, precision="float32")])
            )
            provenance = Provenance(inference=inference, weights=Weights.RANDOM, device="cpu", evidence=evidence)
            made.append(make_record("run", cell, results=answers, provenance=provenance))
    return made


def is_real(record):
    return record.provenance.inference is Inference.REAL


def real_tally(found):
    return replace(found, mock=0), found.pass_rate, found.coverage, found.worst


@settings(max_examples=IN_MEMORY, deadline=None)
@given(st.lists(rows))
def test_a_tally_is_that_of_its_real_rows(given_rows):
    assert real_tally(tally(given_rows)) == real_tally(tally(row for row in given_rows if not row["mock"]))


def report_figures(records):
    cells = tuple(record.cell for record in records)
    plan = Plan(run_id="run", created_at="2026-03-01T09:00:00+00:00", command="muster run", cells=cells)
    data = assemble(plan, records, None, version="0")
    figures = {
        "answered": data.answered,
        "cells": real_tally(data.cells),
        "results": real_tally(data.results),
        "targets": [real_tally(entry.tally) for entry in data.targets if is_real_target(entry.column.target)],
        "checks": [(entry.check, real_tally(entry.tally)) for entry in data.checks],
        "failures": data.failures,
        "gaps": data.gaps,
        "realness": replace(data.realness, mock=0),
        "families": [
            (group.family, column.target, real_tally(found))
            for group in data.groups
            for column, found in zip(data.columns, group.tallies, strict=True)
            if is_real_target(column.target)
        ],
    }
    return figures, [entry.tally for entry in data.targets if not is_real_target(entry.column.target)]


def is_real_target(name):
    return TARGETS[name] is Inference.REAL


@settings(max_examples=IN_MEMORY, deadline=None)
@given(cell_records())
def test_a_report_says_the_same_without_its_mock_cells(records):
    figures, mocked = report_figures(records)
    assert figures == report_figures([record for record in records if is_real(record)])[0]
    assert all(found.pass_rate is None and found.decided == 0 for found in mocked)


@settings(max_examples=IN_MEMORY, deadline=None)
@given(cell_records())
def test_what_a_run_counts_as_it_goes_is_real(records):
    counts, real = Counts(), Counts()
    for record in records:
        counts.add(record)
        if is_real(record):
            real.add(record)
    assert (counts.real, counts.proven) == (real.real, real.proven)


def stored_figures(reader, run_id):
    whole, seen = summary(reader, run_id), matrix(reader, narrow(reader, run=run_id))
    side = baselines.of_run(reader, run_id, find(reader, run_id).key)
    return side, {
        "total": real_tally(whole.total),
        "families": {name: real_tally(found) for name, found in whole.by_family.items()},
        "targets": {name: real_tally(found) for name, found in whole.by_target.items() if is_real_target(name)},
        "checks": {name: real_tally(found) for name, found in whole.by_check.items()},
        "matrix": real_tally(seen.total),
        "columns": {
            column.target: real_tally(column.tally) for column in seen.columns if is_real_target(column.target)
        },
        "failures": failures(reader, narrow(reader, run=run_id)),
        "list": [real_tally(row.tally) for row in runs(reader) if row.run_id == run_id],
        "badges": {name: body for name, body in badges.render(whole) if not re.search(r"target-(mock|toy)", name)},
        "gate": replace(judge(side, None, Rules()), comparison=None),
        "answers": side.answers,
    }


@settings(max_examples=IN_A_STORE, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cell_records())
def test_the_store_views_badges_and_gate_say_the_same_without_mock_cells(records):
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        real = [record for record in records if is_real(record)]
        for run_id, kept in (("1-with", records), ("2-without", real)):
            write_run(home, run_id, [record.cell for record in kept], [renamed(record, run_id) for record in kept])
        store.ingest(home)
        with store.reader(home) as reader:
            with_mocks, figures = stored_figures(reader, "1-with")
            without, expected = stored_figures(reader, "2-without")
            assert figures == expected
            assert not compare(without, with_mocks).changes
            mock_badges = dict(badges.render(summary(reader, "1-with")))
            for name, body in mock_badges.items():
                if re.search(r"target-(mock|toy)", name):
                    assert b"nothing tested" in body
            assert all(not found.tally.mock for found in file_tests(reader).values())


def renamed(record, run_id):
    return make_record(
        run_id, record.cell, results=record.results, provenance=record.provenance, recipe=record.recipe
    )  # fmt: skip


READS_ANSWERS = re.compile(r"\b(FROM|JOIN)\s+(results|tallies|answers|attempts)\b|\{RESULTS\}")
LISTS = {
    "cli/db.py": "runs the user's own SQL",
    "store/export.py": "writes results one by one, each with what ran it",
    "store/batch.py": "writes the table of counts, with a column for mock",
    "views/cell.py": "shows one cell, mock or not, with its mark",
    "views/summary.py": "hands counted rows, mock ones marked, to rates.tally",
    "views/workers.py": "lists who worked, and judges nothing",
    "views/results.py": "lists results one by one, each with its mark",
    "views/whole.py": "gives back whole records, for the report to judge",
}
"""Files that read answers and show every one of them, with the reason."""


def test_whoever_reads_answers_from_the_store_says_what_it_does_about_mocks():
    root = Path(modelmuster.__file__).parent
    silent = []
    for path in sorted(root.rglob("*.py")):
        text, name = path.read_text(), path.relative_to(root).as_posix()
        if READS_ANSWERS.search(text) and "mock" not in text and name not in LISTS:
            silent.append(name)
    assert not silent, f"these read answers without a word about mock ones: {silent}"
