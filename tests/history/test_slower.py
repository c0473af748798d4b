"""The gate closes on what is certainly slower, and says nothing about what cannot be compared."""

import pytest
import typer
from typer.testing import CliRunner

from modelmuster.cli import gate
from modelmuster.records import MEASURE, Outcome, Result, Scale
from modelmuster.settings import Home
from run_folders import make_cell, make_environment, make_record, make_timing, write_run

app = typer.Typer()
app.command()(gate.gate)
CELL = make_cell("bert", checks=(MEASURE,), scale=Scale.DEFAULT)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path / "home")


def measured(home, run_id, median_ms, day, hostname="box", **changes):
    timing = make_timing(median_ms=median_ms, **changes)
    record = make_record(run_id, CELL, results=[Result(check=MEASURE, outcome=Outcome.PASS, timing=timing)])
    created = f"2026-03-0{day}T09:00:00+00:00"
    write_run(home, run_id, [CELL], [record], created_at=created, environment=make_environment(hostname=hostname))


def judged(*options):
    done = CliRunner().invoke(app, ["--baseline", "a", *options])
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done


def test_a_certain_loss_closes_it_with_both_times_and_the_command(home):
    measured(home, "a", 5.0, 1)
    measured(home, "b", 8.0, 2)
    done = judged()
    assert done.exit_code == 1
    assert "broken: slower: 1 found, 0 allowed" in done.stdout
    assert "5 ms → 8 ms, 1.60 times as long" in done.stdout
    assert "muster measure bert" in done.stdout


@pytest.mark.parametrize("now", [4.0, 5.0, 5.9])
def test_what_is_faster_or_within_the_allowance_passes(home, now):
    measured(home, "a", 5.0, 1)
    measured(home, "b", now, 2)
    assert judged().exit_code == 0


def test_the_allowance_is_the_project_s(home, tmp_path):
    (tmp_path / "muster.toml").write_text("[gate]\nslower_by = 1.0\n")
    measured(home, "a", 5.0, 1)
    measured(home, "b", 8.0, 2)
    assert judged().exit_code == 0
    (tmp_path / "muster.toml").write_text("[gate]\nslower_by = -1\n")
    assert "negative" in str(CliRunner().invoke(app, ["--baseline", "a"]).exception)


@pytest.mark.parametrize(
    "changes", [{"hostname": "other"}, {"threads": 1}, {"low_ms": 4.0, "high_ms": 12.0}, {"low_ms": None}]
)
def test_another_machine_or_too_little_evidence_is_said_and_not_judged(home, changes):
    measured(home, "a", 5.0, 1)
    measured(home, "b", 8.0, 2, **changes)
    done = judged()
    assert done.exit_code == 0
    assert "1 measured cells are not compared by speed" in " ".join(done.stderr.split())
