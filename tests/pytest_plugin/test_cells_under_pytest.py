"""`pytest --muster`, as people use pytest: choosing, stopping, repeating, side by side, JUnit."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from modelmuster.records import Outcome
from modelmuster.runs import folders, journal, locking
from modelmuster.settings import Home

BERT = "muster::bert::BertForMaskedLM::toy:cpu"


@pytest.fixture
def recorded():
    """Plan and journal of the youngest run."""

    def read():
        folder = folders.latest_run(Home.find())
        return folder.read_plan(), list(journal.read(folder.journal))

    return read


def test_cells_are_chosen_by_keyword_run_contained_and_recorded(run_cells, recorded):
    done = run_cells("muster::bert", "-k", "(ok and not token) or segv or fails or declines", "--junitxml=out.xml")
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "2 failed" in done.stdout
    assert "1 skipped" in done.stdout
    assert "SIGSEGV" in done.stdout
    assert "muster run bert --class BertForMaskedLM --target toy:cpu --check segv" in done.stdout
    assert "muster: toy:cpu 🚀 real" in done.stdout
    assert "pass rate 1 of 3 decided" in done.stdout
    plan, records = recorded()
    [cell], [record] = plan.cells, records
    assert set(cell.checks) == {"ok", "segv", "fails", "declines"}
    outcomes = {result.check: result.outcome for result in record.results}
    assert outcomes == {
        "ok": Outcome.PASS,
        "fails": Outcome.FAIL,
        "segv": Outcome.CRASH,
        "declines": Outcome.NOT_APPLICABLE,
    }
    cases = list(ET.parse(Path(done.args[4]) / "out.xml").iter("testcase"))
    assert {case.get("classname") for case in cases} == {"muster.bert.BertForMaskedLM.toy:cpu"}
    assert sorted(case.get("name") for case in cases if case.find("failure") is not None) == ["fails", "segv"]
    told = {p.get("name"): p.get("value") for case in cases for p in case.iter("property")}
    assert told["inference"] == "real"


def test_the_id_that_pytest_prints_chooses_that_test(run_cells):
    done = run_cells(f"{BERT}::ok", "--collect-only", "-q")
    assert [line for line in done.stdout.splitlines() if "::" in line] == [f"{BERT}::ok"]
    wrong = run_cells("muster::bertt")
    assert wrong.returncode == 4
    assert "no cell has the id muster::bertt" in wrong.stderr


def test_marks_choose_family_and_target(run_cells):
    done = run_cells("-m", "video and toy_cpu", "-k", "ok and not token", "--collect-only", "-q", "--strict-markers")
    ids = [line for line in done.stdout.splitlines() if "::" in line]
    assert any("::vivit::" in line for line in ids)
    assert not any("::bert::" in line for line in ids)
    by_option = run_cells("--muster-family", "video", "-k", "ok and not token", "--collect-only", "-q")
    assert [line for line in by_option.stdout.splitlines() if "::" in line] == ids


def test_last_failed_runs_what_failed(run_cells):
    first = run_cells(BERT, "-k", "(ok and not token) or fails")
    assert "1 failed, 1 passed" in first.stdout
    again = run_cells(BERT, "-k", "(ok and not token) or fails", "--lf")
    assert "1 failed" in again.stdout
    assert "passed" not in again.stdout


def test_exitfirst_leaves_the_rest_planned_and_not_reached(run_cells, recorded):
    done = run_cells("-x", "muster::bert", "muster::vit", "-k", "fails or (ok and not token)")
    assert "1 failed" in done.stdout
    plan, records = recorded()
    assert len(plan.cells) == 2
    assert len(records) == 1


def test_side_by_side_every_cell_runs_once_and_one_run_is_recorded(run_cells, recorded):
    done = run_cells(
        "-n", "2", "muster::bert", "muster::vit", "muster::t5", "-k", "(ok and not token) or segv or fails"
    )
    assert "6 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    plan, records = recorded()
    assert len(plan.cells) == 3
    assert sorted(record.cell.model_type for record in records) == ["bert", "t5", "vit"]
    assert all(len(record.results) == 3 for record in records)
    assert len(folders.run_ids(Home.find())) == 1


def test_a_mock_proves_nothing(run_cells):
    done = run_cells("muster::bert", "-k", "(ok and not token)", target="toy:mock")
    assert done.returncode == 0
    assert "1 skipped" in done.stdout
    assert "🔷 mock 1: not counted" in done.stdout
    assert "muster: toy:mock 🔷 mock" in done.stdout


def test_a_target_that_is_not_there_is_skipped_with_the_reason(run_cells, recorded):
    done = run_cells("muster::bert", "-k", "(ok and not token)", "-rs", target="toy:absent")
    assert "unavailable: " in done.stdout
    _, [record] = recorded()
    assert record.results[0].outcome is Outcome.UNAVAILABLE


def test_a_type_without_a_class_answers_with_the_reason(run_cells):
    done = run_cells("muster::nougat", "-k", "(ok and not token)", "-rs")
    assert "not applicable: transformers.models.nougat has no modelling code" in done.stdout


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["--muster-target", "toy:cpv"], "did you mean"),
        (["--muster-target", "toy:cpu", "--muster-family", "vison"], "vision"),
        (["--muster-target", "toy:cpu", "--muster-scale", "huge"], "tiny or default"),
    ],
)
def test_options_that_cannot_be_read_are_usage_errors(run_pytest, words, near):
    done = run_pytest("--muster", *words)
    assert done.returncode == 4
    assert near in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_while_another_run_is_writing_nothing_starts(run_cells):
    home = Home.find()
    with locking.held(home, purpose="run x"):
        done = run_cells("muster::bert", "-k", "(ok and not token)")
    assert done.returncode == 4, done.stdout
    assert "is writing in" in done.stdout + done.stderr
    assert not folders.run_ids(home)


def test_other_tests_run_beside_the_cells_where_they_are_named(run_cells, tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    alone = run_cells("muster::bert", "-k", "own or (ok and not token)")
    assert "1 passed" in alone.stdout
    both = run_cells("test_own.py", "muster::bert", "-k", "own or (ok and not token)")
    assert "2 passed" in both.stdout
