"""The commands as a user types them, in processes of their own, on real models."""

import json
import os
import subprocess
import sys

import pytest


def muster(*words, env=None, timeout=240):
    return subprocess.run(
        [sys.executable, "-c", "from modelmuster.cli import main; main()", *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A home with one real run of two architectures."""
    home = str(tmp_path_factory.mktemp("home"))
    done = muster("run", "bert", "vit", "-t", "torch:cpu", "--no-progress", env={"MUSTER_HOME": home})
    assert done.returncode == 0, done.stderr
    return home


@pytest.mark.parametrize(
    ("words", "code", "near"),
    [
        (["run", "bertt"], 2, "did you mean: bert"),
        (["run", "--family", "vison"], 2, "vision"),
        (["run", "bert", "-t", "torch:cpv"], 2, "torch:cpu"),
        (["run", "bert", "-t", "torch:cpu", "-c", "forwrd"], 2, "forward"),
        (["run", "bert", "-t", "torch:cpu", "--class", "BertForNothing"], 2, "Bert"),
        (["run", "bert", "-t", "torch:cpu", "--scale", "huge"], 2, "tiny"),
        (["run", "bert", "-t", "torch:cpu", "--shard", "4/3"], 2, "3/16"),
        (["run", "bert", "-t", "torch:cpu", "--outcome", "sad"], 2, "pass"),
        (["run", "size:large"], 2, "terms are"),
        (["run", "no-such-*"], 5, "muster catalog"),
        (["recipe", "bertt"], 2, "bert"),
        (["results"], 2, "muster run"),
        (["report"], 2, "muster run"),
        (["matrix", "--run", "nothing"], 2, "muster"),
        (["run", "--resume"], 2, "muster run"),
        (["run", "--no-such-option"], 2, "--no-such-option"),
    ],
)
def test_bad_input_gets_a_clear_message_and_its_exit_code(words, code, near):
    done = muster(*words)
    assert done.returncode == code, done.stderr
    assert near in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_an_unwritable_home_is_said(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    done = muster("run", "bert", "-t", "torch:cpu", env={"MUSTER_HOME": str(file / "home")})
    assert done.returncode == 2
    assert "MUSTER_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_of_a_newer_version_stops_a_run_before_it_begins(tmp_path):
    import duckdb

    with duckdb.connect(str(tmp_path / "snapshot.duckdb")) as snapshot:
        snapshot.execute("CREATE TABLE schema_versions AS SELECT 999 AS version")
    done = muster("run", "bert", "-t", "mock", "--no-progress", env={"MUSTER_HOME": str(tmp_path)})
    assert done.returncode == 2
    assert "muster db rebuild" in done.stderr
    assert not list(tmp_path.glob("runs/*/journal.jsonl"))


def test_results_are_rows_with_what_a_program_needs(finished):
    done = muster("results", "--json", env={"MUSTER_HOME": finished})
    rows = json.loads(done.stdout)
    assert {row["model_type"] for row in rows} == {"bert", "vit"}
    wanted = {
        *("run_id", "model_type", "model_class", "family", "target", "dtype", "scale", "check", "outcome", "stage"),
        *("inference", "weights", "device", "duration_ms", "cpu_ms", "peak_rss_bytes", "message", "reproduce"),
    }
    for row in rows:
        assert wanted <= set(row)
        assert row["inference"] == "real"
        if row["outcome"] == "not_applicable":
            continue
        assert row["duration_ms"] > 0
        assert row["peak_rss_bytes"] > 1 << 20


def test_the_reproduce_command_of_a_row_works(finished, tmp_path):
    rows = json.loads(muster("results", "--json", env={"MUSTER_HOME": finished}).stdout)
    row = next(row for row in rows if row["outcome"] == "pass")
    command = row["reproduce"].split()
    assert command[0] == "muster"
    done = muster(*command[1:], "--json", env={"MUSTER_HOME": str(tmp_path)})
    (again,) = json.loads(done.stdout)
    assert {key: again[key] for key in ("model_class", "target", "check", "outcome")} == {
        key: row[key] for key in ("model_class", "target", "check", "outcome")
    }


def test_a_finished_run_is_resumed_without_running_anything(finished):
    done = muster("run", "--resume", "--no-progress", env={"MUSTER_HOME": finished})
    assert done.returncode == 0, done.stderr
    rows = json.loads(muster("results", "--json", env={"MUSTER_HOME": finished}).stdout)
    assert len(rows) == len({(row["model_type"], row["check"]) for row in rows})


def test_matrix_and_report_show_the_run(finished, tmp_path):
    matrix = muster("matrix", "--all", env={"MUSTER_HOME": finished})
    assert "bert" in matrix.stdout
    assert "real" in matrix.stdout
    page = tmp_path / "report.html"
    done = muster("report", "--output", str(page), env={"MUSTER_HOME": finished})
    assert done.returncode == 0, done.stderr
    assert "bert" in page.read_text()


def test_catalog_lists_every_type_with_what_a_program_needs():
    entries = json.loads(muster("catalog", "--json").stdout)
    assert len(entries) > 500
    assert all({"model_type", "family", "top_level", "model_classes", "requires"} <= set(entry) for entry in entries)


def test_doctor_names_a_remedy_for_what_is_missing():
    found = json.loads(muster("doctor", "--json").stdout)
    assert found["targets"]["torch:cpu"]["available"]
    for probe in found["targets"].values():
        assert probe["available"] or probe["reason"]


def test_a_plan_is_what_would_run_and_shards_share_it():
    whole = json.loads(muster("plan", "--family", "time-series", "-t", "torch:cpu", "--json").stdout)
    parts = [
        json.loads(muster("plan", "--family", "time-series", "-t", "torch:cpu", "--shard", f"{i}/2", "--json").stdout)
        for i in (1, 2)
    ]
    names = sorted(cell["model_type"] for part in parts for cell in part["cells"])
    assert names == sorted(cell["model_type"] for cell in whole["cells"])
    assert len(names) == len(set(names))


def test_checks_say_what_they_ask():
    done = muster("checks", "padding", "cache")
    assert done.returncode == 0
    assert "Are tokens that the attention mask hides" in done.stdout
    assert "tolerance: Twice the rule's tolerance" in done.stdout


def test_a_check_that_is_not_known_is_told_so():
    done = muster("checks", "pading")
    assert done.returncode == 2
    assert "padding" in done.stderr
