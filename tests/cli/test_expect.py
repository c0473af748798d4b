"""`muster expect` and `muster run --expectations`, as typed, on real runs."""

import json
import os
import subprocess
import sys

import msgspec
import pytest

from modelmuster.records import CellRecord, Outcome
from modelmuster.settings import Home
from run_folders import make_cell, make_record, write_run

REASON = "It is known upstream since long."


def muster(*words, home, cwd):
    return subprocess.run(
        [sys.executable, "-c", "from modelmuster.cli import main; main()", *words],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "COLUMNS": "200", "MUSTER_HOME": str(home)},
        cwd=cwd,
        check=False,
    )


def listed(home, cwd):
    """The project's own entries; those of the package come first."""
    entries = json.loads(muster("expect", "list", "--json", home=home, cwd=cwd).stdout)
    return [entry for entry in entries if entry["file"].startswith("expectations")]


@pytest.fixture
def failed(tmp_path):
    """A home with a run in which one check failed twice and another once."""
    home, bert, bart = tmp_path / "home", make_cell(), make_cell("bart")
    fail, crash = (Outcome.PASS, Outcome.FAIL), (Outcome.CRASH, Outcome.PASS)
    records = [
        make_record("run-1", bert, fail, attempt=1, final=False),
        make_record("run-1", bert, fail, attempt=2, final=True),
        make_record("run-1", bart, crash, attempt=1, final=True),
    ]
    write_run(Home(home), "run-1", [bert, bart], records)
    return home


def test_update_list_check_and_remove_are_a_round_trip(failed, tmp_path):
    shown = muster("expect", "update", "run-1", "--dry-run", home=failed, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert '+architecture = "bert"' in shown.stdout
    assert "not written, since seen only once: bart: forward" in shown.stderr
    assert "placeholder" in shown.stderr
    assert not (tmp_path / "expectations").exists()

    written = muster("expect", "update", "run-1", "--reason", REASON, home=failed, cwd=tmp_path)
    assert "1 files changed" in written.stderr, written.stderr
    (entry,) = listed(failed, tmp_path)
    assert (entry["architecture"], entry["check"], entry["in_force"]) == ("bert", "reference", True)

    good = muster("expect", "check", "run-1", home=failed, cwd=tmp_path)
    assert "0 have to go" in good.stderr
    assert good.returncode == 0, good.stderr
    removed = muster(
        *("expect", "remove", "bert", "--check", "reference", "--class", "BertModel", "--target", "torch:cpu"),
        home=failed,
        cwd=tmp_path,
    )
    assert removed.returncode == 0, removed.stderr
    assert '-architecture = "bert"' in removed.stdout
    assert listed(failed, tmp_path) == []


def test_a_run_applies_the_expectations_of_its_folder_and_finds_stale_ones(tmp_path):
    folder = tmp_path / "expectations"
    folder.mkdir()
    (folder / "known.toml").write_text(
        '[[expected]]\narchitecture = "bert"\ncheck = "forward"\noutcome = "fail"\nreason = "It once failed here."\n'
    )
    done = muster("run", "bert", "-t", "torch:cpu", "-c", "forward", "--no-progress", home=tmp_path / "h", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "no longer fails: bert" in done.stderr
    assert "muster expect remove bert --check forward" in done.stderr
    later = muster("expect", "check", home=tmp_path / "h", cwd=tmp_path)
    assert later.returncode == 1
    assert "muster expect remove bert --check forward" in later.stdout
    (journal,) = (tmp_path / "h").glob("runs/*/journal.jsonl")
    record = msgspec.json.decode(journal.read_bytes().splitlines()[0], type=CellRecord)
    assert record.results[0].expected is None


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["expect", "remove", "bert", "--check", "forward"], "muster expect list"),
        (["expect", "update", "run-2"], "run-1"),
        (["expect", "list", "--expectations", "nowhere"], "there is no folder"),
        (["run", "bert", "--expectations", "nowhere"], "there is no folder"),
    ],
)
def test_bad_input_gets_a_clear_message(failed, tmp_path, words, near):
    done = muster(*words, home=failed, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert near in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_file_stops_a_run_before_it_starts(tmp_path):
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations" / "known.toml").write_text("[[expected]\n")
    done = muster("run", "bert", "-t", "torch:cpu", home=tmp_path / "h", cwd=tmp_path)
    assert done.returncode == 2
    assert "known.toml: not valid TOML" in done.stderr
    assert not (tmp_path / "h").exists()
