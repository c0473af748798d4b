"""`muster recommend` and `muster advise` as a user types them."""

import json

import pytest

from cli.test_commands import muster
from modelmuster.records import MEASURE, Outcome, Result, Scale
from modelmuster.settings import Home
from run_folders import make_cell, make_record, make_timing, write_run


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    """A home with one run that measured two targets and two dtypes."""
    path = tmp_path_factory.mktemp("home")
    cells, records = [], []
    for target, dtype, median_ms in (
        ("torch:cpu", "float32", 10.0),
        ("openvino:cpu", "float32", 5.0),
        ("openvino:cpu", "bfloat16", 2.0),
    ):
        cell = make_cell("bert", target, dtype=dtype, checks=(MEASURE,), scale=Scale.DEFAULT)
        result = Result(check=MEASURE, outcome=Outcome.PASS, timing=make_timing(median_ms=median_ms))
        cells.append(cell)
        records.append(make_record("run-1", cell, results=[result]))
    write_run(Home(path), "run-1", cells, records)
    return {"MUSTER_HOME": str(path)}


def test_the_choice_comes_first_then_the_table_then_the_doubts(env):
    done = muster("recommend", "bert", env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("bert, by latency: openvino:cpu bfloat16 on AMD EPYC: 2 ms (1.98–2.02); confidence low")
    assert "run-1" in lines[2]
    assert any(line.startswith("doubt:") for line in lines)


def test_all_is_one_line_for_each_architecture_and_json_has_every_row(env):
    done = muster("recommend", "--all", env=env)
    assert len(done.stdout.splitlines()) == 1
    [found] = json.loads(muster("recommend", "--all", "--objective", "memory", "--json", env=env).stdout)
    assert (found["objective"], len(found["ranked"])) == ("memory", 3)


def test_what_was_not_measured_is_refused_with_what_to_type(env):
    done = muster("recommend", "vit", env=env)
    assert done.returncode == 5
    assert "no recommendation: nothing was measured of vit; type: muster measure vit" in done.stdout


def test_advice_names_the_gain_and_the_command(env):
    done = muster("advise", "bert", env=env)
    assert done.returncode == 0, done.stderr
    assert "what would help" in done.stdout
    assert "2.5× as fast" in done.stdout
    assert "muster measure bert" in done.stdout


def test_nothing_known_says_what_to_run(env):
    done = muster("advise", "vit", env=env)
    assert done.returncode == 0
    assert "muster run vit" in done.stderr


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["recommend"], "--all"),
        (["recommend", "bert", "--all"], "--all"),
        (["recommend", "bertt"], "did you mean"),
        (["recommend", "bert", "--objective", "beauty"], "latency, throughput"),
        (["advise", "bertt"], "did you mean"),
    ],
)
def test_bad_input_gets_a_clear_message(env, words, near):
    done = muster(*words, env=env)
    assert done.returncode == 2, done.stderr
    assert near in done.stderr
    assert "Traceback" not in done.stderr
