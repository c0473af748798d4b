"""Generated test files run where their target is; what pytest says of them is said here."""

import os
import subprocess
import sys

import pytest

from modelmuster.contracts import FileJob, Limits
from modelmuster.errors import InfrastructureError
from modelmuster.records import Outcome
from modelmuster.runs import folders, journal

FILE = """
import os
import signal

import pytest
import torch
import transformers

pytestmark = pytest.mark.muster(model_type="bert", model_class="BertModel")


@pytest.fixture(scope="module")
def model():
    config = transformers.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
    return transformers.BertModel(config)


def test_doubles(muster_run):
    print("said there")
    assert muster_run({"x": torch.ones(2, 3)})["y"].tolist() == [[2.0] * 3] * 2


def test_wrong(muster_run):
    assert muster_run({"x": torch.ones(2, 3)})["y"].sum() == 7


@pytest.mark.skip(reason="not today")
def test_left_out(muster_run):
    pass


def test_without_a_target():
    assert os.environ["HERE"] == "yes"
"""
DIES = """

def test_dies(muster_run):
    os.kill(os.getpid(), signal.SIGSEGV)


def test_after_it(muster_run):
    pass
"""


@pytest.fixture
def run_file(machines, home, tmp_path):
    def run(text, *words):
        (tmp_path / "test_file.py").write_text(text)
        options = ["--muster-executor", "ray", "--muster-address", machines.address, "--muster-target", "toy:cpu"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", "test_file.py", *options, *words],
            cwd=tmp_path,
            env={**os.environ, "MUSTER_HOME": str(home.root), "HERE": "yes"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def recorded(home):
    return list(journal.read_lenient(folders.latest_run(home).journal).records)


def test_a_file_is_reported_here_and_run_where_its_target_is(run_file, joined, home):
    [machine] = joined.environments()
    done = run_file(FILE, "-rP")
    assert "1 failed, 2 passed, 1 skipped" in done.stdout, done.stdout
    assert f"- ran on -{'-' * 35}\n{machine}" in done.stdout
    assert "said there" in done.stdout
    [record] = recorded(home)
    assert record.worker == machine
    assert record.provenance.evidence.device_name == "toy abacus"
    assert {result.check: result.outcome for result in record.results} == {
        "test_doubles": Outcome.PASS,
        "test_wrong": Outcome.FAIL,
        "test_left_out": Outcome.SKIPPED,
    }


def test_a_file_whose_process_dies_there_fails_and_says_how(run_file, home):
    done = run_file(FILE + DIES, "-k", "doubles or dies or after_it")
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert "its process was killed by SIGSEGV" in done.stdout
    outcomes = {result.check: result.outcome for record in recorded(home) for result in record.results}
    assert outcomes == {
        "test_doubles": Outcome.PASS,
        "test_dies": Outcome.CRASH,
        "test_after_it": Outcome.CRASH,
    }


def test_tests_that_take_too_long_are_stopped_there(joined):
    text = "import time\nimport pytest\n\ndef test_sleeps():\n    time.sleep(60)\n"
    job = FileJob("test_slow.py", text, ("test_sleeps",), "toy:cpu", Limits(wall_s=3))
    run = joined.run_file(job)
    assert run.ending == "took longer than 3 s"


def test_a_target_that_no_machine_has_is_not_waited_for_long(joined):
    joined.patience_s = 1.0
    job = FileJob("test_file.py", FILE, ("test_doubles[toy:lab]",), "toy:lab", Limits())
    with pytest.raises(InfrastructureError, match="no machine with toy:lab"):
        joined.run_file(job)


def test_tests_in_several_processes_of_pytest_share_the_run_of_their_file(run_file, home):
    done = run_file(FILE, "-n", "2", "-k", "doubles or wrong")
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert len(recorded(home)) == 1
