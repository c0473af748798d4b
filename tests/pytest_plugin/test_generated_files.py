"""Generated files under pytest: fixtures, marks, and results in the same journal and store as those of `muster run`."""

import pytest

from modelmuster import store
from modelmuster.records import Outcome
from modelmuster.runs import folders, journal, locking
from modelmuster.settings import Home
from modelmuster.views.file_tests import file_tests

FILE = """
import pytest
import torch
import transformers

pytestmark = [pytest.mark.encoder_only, pytest.mark.muster(model_type="bert", model_class="BertModel")]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
    return transformers.BertModel(config).eval()


@pytest.fixture
def inputs():
    return {"input_ids": torch.tensor([[1, 2, 3]])}


def test_run(muster_run, muster_reference, inputs):
    got, expected = (run(inputs)["last_hidden_state"].double() for run in (muster_run, muster_reference))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_module(muster_module, muster_target):
    assert muster_target == "torch:cpu"
    assert not muster_module.training


def test_wrong(muster_run, inputs):
    assert muster_run(inputs)["last_hidden_state"].shape == (1, 2, 3)


def test_raises(muster_run, inputs):
    muster_run({"no_such_argument": inputs["input_ids"]})


def test_left_out(muster_run):
    pytest.skip("for a reason")


@pytest.mark.xfail(reason="known")
def test_known(muster_run):
    assert False
"""


@pytest.fixture
def run_file(run_pytest, tmp_path):
    """Run the file above."""
    (tmp_path / "test_file.py").write_text(FILE)
    return lambda *words: run_pytest("test_file.py", "--strict-markers", *words, toy=False)


def test_results_go_to_the_journal_and_the_store(run_file):
    done = run_file("--muster-target", "torch:cpu", "-m", "encoder_only and torch_cpu")
    assert "2 failed, 2 passed, 1 skipped, 1 xfailed" in done.stdout, done.stdout
    assert "pass rate 2 of 5 decided" in done.stdout
    assert "muster: torch:cpu 🚀 real" in done.stdout
    home = Home.find()
    folder = folders.latest_run(home)
    [record] = journal.read(folder.journal)
    assert record.cell.id == "bert|BertModel|torch:cpu|float32|tiny|0"
    assert {result.check: result.outcome for result in record.results} == {
        "test_run": Outcome.PASS,
        "test_module": Outcome.PASS,
        "test_wrong": Outcome.FAIL,
        "test_raises": Outcome.ERROR,
        "test_left_out": Outcome.SKIPPED,
        "test_known": Outcome.FAIL,
    }
    assert [result.check for result in record.results if result.expected] == ["test_known"]
    assert record.provenance.evidence.precision == "float32"
    device = record.provenance.evidence.device_name
    assert folder.read_environment().devices == {"torch:cpu": device}
    assert f"torch:cpu was {device}" in done.stdout
    with store.reader(home) as reader:
        found = file_tests(reader)["bert"]
    assert found.run_id == folder.run_id
    assert (found.tally.passed, found.tally.findings, found.tally.expected) == (2, 3, 1)


def test_a_known_failure_of_the_model_is_an_expected_one(run_pytest, tmp_path):
    entry = '[[expected]]\narchitecture = "bert"\ncheck = "padding"\noutcome = "fail"\n'
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations" / "own.toml").write_text(f'{entry}reason = "It is known that it does not."\n')
    tests = "\n\ndef test_padding(muster_run):\n    assert 0\n\n\ndef test_causality(muster_run):\n    assert 0\n"
    (tmp_path / "test_file.py").write_text(FILE + tests)
    done = run_pytest("test_file.py", "--muster-target", "torch:cpu", "-k", "padding or causality", "-rx", toy=False)
    assert "1 failed, " in done.stdout
    assert "1 xfailed" in done.stdout
    assert "It is known that it does not." in done.stdout
    [record] = journal.read(folders.latest_run(Home.find()).journal)
    assert {result.check: result.expected for result in record.results} == {
        "test_padding": "It is known that it does not.",
        "test_causality": None,
    }


def test_side_by_side_too(run_file):
    done = run_file("--muster-target", "torch:cpu", "-n", "2", "-k", "run or module or wrong")
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    [record] = journal.read(folders.latest_run(Home.find()).journal)
    assert sorted(result.check for result in record.results) == ["test_module", "test_run", "test_wrong"]


def test_a_model_that_cannot_be_built_is_an_error_of_each_test(run_pytest, tmp_path):
    (tmp_path / "test_file.py").write_text(FILE.replace("num_attention_heads=2", "num_attention_heads=3"))
    run_pytest("test_file.py", "--muster-target", "torch:cpu", "-k", "test_run or test_wrong", toy=False)
    [record] = journal.read(folders.latest_run(Home.find()).journal)
    assert [(result.outcome, result.stage) for result in record.results] == [(Outcome.ERROR, "build")] * 2


def test_where_another_run_is_writing_the_tests_run_and_it_is_said(run_file):
    home = Home.find()
    with locking.held(home, purpose="run x"):
        done = run_file("--muster-target", "torch:cpu", "-k", "module")
    assert "1 passed" in done.stdout
    assert "the results were not recorded: the process" in done.stdout
    assert not folders.run_ids(home)


def test_a_target_that_is_not_there_skips_the_tests(run_file):
    done = run_file("--muster-target", "torch:mps", "-k", "test_run", "-rs")
    assert "1 skipped" in done.stdout
    [record] = journal.read(folders.latest_run(Home.find()).journal)
    assert record.results[0].outcome is Outcome.UNAVAILABLE


def test_a_file_without_the_mark_is_told_so(run_pytest, tmp_path):
    (tmp_path / "test_file.py").write_text(FILE.replace("pytestmark", "unmarked"))
    done = run_pytest("test_file.py", "--muster-target", "torch:cpu", "-k", "test_run", toy=False)
    assert "needs pytestmark = pytest.mark.muster" in done.stdout
