"""`muster compare A B` for two targets: over what both planned, and times only where they mean something."""

import json

import pytest

from cli.test_commands import muster
from modelmuster.records import MEASURE, Outcome, Result, Scale
from modelmuster.settings import Home
from run_folders import make_cell, make_record, make_timing, write_run

SPEEDS = {"torch:cpu": 10.0, "openvino:cpu": 5.0}


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    """A home with a run of checks, in which one target fails once, and a run of measurements."""
    home = Home(tmp_path_factory.mktemp("home"))
    cells = [make_cell(name, target) for name in ("bert", "vit") for target in SPEEDS] + [make_cell("gpt2")]
    outcomes = {("vit", "openvino:cpu"): (Outcome.FAIL, Outcome.PASS)}
    records = [make_record("checks", cell, outcomes.get((cell.model_type, cell.target), ())) for cell in cells]
    write_run(home, "checks", cells, records)
    timed, measured = [], []
    for name, size in (("bert", 1), ("bert", 8), ("vit", 1)):
        for target, median_ms in SPEEDS.items():
            cell = make_cell(name, target, checks=(MEASURE,), scale=Scale.DEFAULT, batch=size)
            timing = make_timing(median_ms=size * median_ms)
            result = Result(check=MEASURE, outcome=Outcome.PASS, figures={"median_ms": timing.median_ms}, timing=timing)
            timed.append(cell)
            measured.append(make_record("times", cell, results=[result]))
    write_run(home, "times", timed, measured)
    return {"MUSTER_HOME": str(home.root)}


def test_groups_are_over_the_architectures_of_both(env):
    done = muster("compare", "torch:cpu", "openvino:cpu", "--run", "checks", env=env)
    assert done.returncode == 0, done.stderr
    assert "both pass: 1: bert" in done.stdout
    assert "only torch:cpu passes: 1: vit" in done.stdout
    assert "gpt2" not in done.stdout
    assert "times are not compared: tiny models" in done.stdout


def test_measured_times_are_compared_size_by_size(env):
    found = json.loads(muster("compare", "torch:cpu", "openvino:cpu", "--run", "times", "--json", env=env).stdout)
    assert [pair[0] for pair in found["ratio"]["pairs"]] == [
        "bert measure batch 1",
        "bert measure batch 8",
        "vit measure batch 1",
    ]
    assert found["ratio"]["mean"] == pytest.approx(0.5)


def test_a_target_that_the_run_lacks_is_said_with_those_that_it_has(env):
    done = muster("compare", "torch:cpu", "inductor:cpu", "--run", "checks", env=env)
    assert done.returncode == 2
    assert "it has: torch:cpu, openvino:cpu" in done.stderr
