"""`muster measure` as a user types it: one real cell, the rows that it leaves, and what it refuses."""

import json
import os
import subprocess
import sys

import pytest

from cli.test_commands import muster
from modelmuster.history.timings import timings
from modelmuster.settings import Home
from modelmuster.store import reader

QUICK = ("--scale", "tiny", "--seconds", "0.2", "--precision", "0.5", "--threads", "1", "--noisy", "--no-progress")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with one measured run: two sizes of one model, one of which it has no positions for."""
    path = tmp_path_factory.mktemp("home")
    done = muster(
        "measure", "bert", "-t", "torch:cpu", "--sequence", "6", "--sequence", "9999", "--batch", "3", "--json", *QUICK,
        env={"MUSTER_HOME": str(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout)


def test_a_measured_cell_is_a_row_with_its_size_device_and_command(home):
    _, [row] = home
    assert (row["batch"], row["tokens"], row["scale"], row["target"]) == (3, 18, "tiny", "torch:cpu")
    assert row["device_name"]
    assert row["median_ms"] > 0
    assert row["stages_ms"].keys() >= {"build", "run"}
    words = row["reproduce"]
    assert words.startswith("muster measure bert")
    assert "--scale tiny" in words
    assert "--batch 3 --sequence 6" in words


def test_what_does_not_fit_the_model_is_said_and_has_no_time(home):
    path, _ = home
    done = muster("results", "--json", env={"MUSTER_HOME": str(path)})
    by_outcome = {row["outcome"]: row for row in json.loads(done.stdout)}
    assert by_outcome.keys() == {"pass", "not_applicable"}
    assert "not for 9999" in by_outcome["not_applicable"]["message"]


def test_the_store_rebuilds_the_same_rows_from_the_journal(home):
    path, [row] = home
    assert muster("db", "rebuild", env={"MUSTER_HOME": str(path)}).returncode == 0
    with reader(Home(path)) as opened:
        [again] = timings(opened)
    assert (again.median_ms, again.cell_id) == (row["median_ms"], row["cell_id"])


@pytest.mark.parametrize("command", [["report", "--format", "markdown"], ["matrix"], ["results", "--failures"]])
def test_other_commands_show_such_a_run(home, command):
    path, _ = home
    done = muster(*command, env={"MUSTER_HOME": str(path)})
    assert done.returncode == 0, done.stderr


def test_a_busy_machine_is_refused_with_what_to_type(tmp_path):
    cores = len(os.sched_getaffinity(0))
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        done = muster("measure", "bert", "-t", "torch:cpu", env={"MUSTER_HOME": str(tmp_path)})
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert done.returncode == 2
    assert "not idle" in done.stderr
    assert "--noisy" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["bert", "-t", "mock"], "nothing to measure"),
        (["bert", "-t", "torch:cpu", "--batch", "0"], "--batch"),
        (["bert", "-t", "torch:cpu", "--confidence", "1"], "--confidence"),
        (["bertt"], "did you mean: bert"),
        (["bert", "-t", "torch:cpu", "--scale", "checkpoint"], "--checkpoint PATH"),
    ],
)
def test_bad_input_gets_a_clear_message(words, near):
    done = muster("measure", *words)
    assert done.returncode == 2, done.stderr
    assert near in done.stderr
    assert "Traceback" not in done.stderr
