"""The commands over stored results: data on standard output, notes on standard error."""

import csv
import io
import json

import pytest
import typer
from stored_run import NEW, OLD
from typer.testing import CliRunner

from modelmuster.cli import db, matrix, results
from modelmuster.errors import UsageError
from modelmuster.records import Outcome
from modelmuster.settings import Home
from run_folders import make_cell, make_record, make_result, write_run

HOSTILE = "<img src=x>|[red]`x`\x1b[31m\nnew"

app = typer.Typer()
app.command("results")(results.results)
app.command("matrix")(matrix.matrix)
app.add_typer(db.app, name="db")


def muster(*arguments, exit_code=0):
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == exit_code, done.stderr
    return done


@pytest.fixture
def at_home(stored_home, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(stored_home.root))


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    home = Home(tmp_path / "hostile")
    cell = make_cell(HOSTILE, checks=("forward",))
    result = make_result("forward", Outcome.FAIL, message=HOSTILE)
    write_run(home, "run-1", [cell], [make_record("run-1", cell, results=[result])], unplanned={HOSTILE: HOSTILE})
    monkeypatch.setenv("MUSTER_HOME", str(home.root))


@pytest.mark.usefixtures("at_home")
def test_results_as_json_hold_every_field_a_reader_needs():
    rows = json.loads(muster("results", "--json").stdout)
    assert len(rows) == 14
    needed = (
        "run_id model_type model_class family target dtype scale check outcome stage inference weights device "
        "device_name device_kind duration_ms cpu_ms peak_rss_bytes message reproduce"
    )
    for row in rows:
        assert set(needed.split()) <= row.keys()
        assert row["reproduce"].startswith("muster run ")


@pytest.mark.usefixtures("at_home")
def test_results_are_narrowed_by_options():
    rows = json.loads(muster("results", "--json", "--outcome", "error", "--family", "decoder-only", "lla*").stdout)
    assert [(row["model_type"], row["check"]) for row in rows] == [("llama", "forward")]
    assert json.loads(muster("results", "--json", "--run", OLD, "--limit", "1").stdout)[0]["run_id"] == OLD


@pytest.mark.usefixtures("at_home")
def test_nothing_that_matches_is_an_empty_list_not_an_error():
    assert json.loads(muster("results", "--json", "--outcome", "oom").stdout) == []
    assert "0 results" in muster("results", "--outcome", "oom").stderr


@pytest.mark.usefixtures("at_home")
def test_a_table_that_is_cut_says_so():
    done = muster("results", "--limit", "3")
    assert len(done.stdout.splitlines()) == 4
    assert "3 of 14 results" in done.stderr


@pytest.mark.usefixtures("at_home")
def test_failures_come_with_a_command_that_repeats_them():
    done = muster("results", "--failures")
    assert "muster run llama --class LlamaModel --target torch:cpu --check forward" in done.stdout
    assert "2 causes" in done.stderr
    groups = json.loads(muster("results", "--failures", "--json").stdout)
    assert [group["architectures"] for group in groups] == [["llama", "vit"], ["bert"]]


@pytest.mark.usefixtures("at_home")
def test_the_matrix_names_what_did_not_pass_and_all_when_asked():
    narrowed = ("--run", OLD, "--outcome", "pass")
    assert "bert" not in muster("matrix", *narrowed).stdout
    assert "bert" in muster("matrix", *narrowed, "--all").stdout
    shown = muster("matrix").stdout
    assert "pass rate 62.5 % (5 of 8 decided)" in shown
    assert "coverage 66.7 % (8 of 12 planned)" in shown
    assert "🔷 mock" in shown
    assert "🚀 real" in shown


@pytest.mark.usefixtures("at_home")
def test_the_matrix_as_data():
    document = json.loads(muster("matrix", "--json").stdout)
    assert document["counts"]["pass_rate"] == 5 / 8
    assert [column["target"] for column in document["columns"]] == ["torch:cpu", "torch:cpu", "toy"]
    lines = list(csv.DictReader(io.StringIO(muster("matrix", "--csv").stdout)))
    assert len(lines) == 7
    assert {line["run_id"] for line in lines} == {NEW}
    table = muster("matrix", "--markdown").stdout
    assert "| llama | decoder-only | E&nbsp;1/2 |" in table
    with pytest.raises(UsageError):
        muster("matrix", "--json", "--csv")


@pytest.mark.usefixtures("at_home")
def test_the_matrix_as_html_is_the_page_of_the_whole_run():
    page = muster("matrix", "--html").stdout
    assert page.startswith("<!doctype html>")
    assert "matrix" in page
    with pytest.raises(UsageError):
        muster("matrix", "bert", "--html")


@pytest.mark.usefixtures("hostile")
def test_hostile_names_stay_text_in_every_format():
    for arguments in (
        ["results"],
        ["results", "--failures"],
        ["matrix"],
        ["db", "info"],
        ["db", "query", "FROM results"],
    ):
        assert "\x1b" not in muster(*arguments).output
    assert "[red]" in muster("matrix").stdout
    table = muster("matrix", "--markdown").stdout
    assert "<img" not in table
    assert "\x1b" not in table
    row = next(line for line in table.splitlines() if "img" in line and line.startswith("|"))
    assert row.count("|") == 4
    assert json.loads(muster("results", "--json").stdout)[0]["model_type"] == HOSTILE
    lines = list(csv.DictReader(io.StringIO(muster("matrix", "--csv").stdout)))
    assert lines[0]["model_type"] == HOSTILE


@pytest.mark.usefixtures("at_home")
def test_the_store_answers_sql_and_tells_what_it_holds():
    rows = json.loads(muster("db", "query", "--json", "SELECT count(*) AS n FROM results").stdout)
    assert rows == [{"n": 18}]
    assert "18" in muster("db", "query", "SELECT count(*) AS n FROM results").stdout
    info = json.loads(muster("db", "info", "--json").stdout)
    assert [run["run_id"] for run in info["runs"]] == [NEW, OLD]
    assert "reproduce" not in info["tables"]["results"]
    assert "check_name" in info["tables"]["results"]


def test_ingest_and_rebuild_report_what_they_did_and_what_is_damaged(tmp_path, monkeypatch):
    home = Home(tmp_path / "muster")
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    folder = write_run(home, "run-1", [make_cell("bert"), make_cell("llama")])
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"garbage\n" + journal.read_bytes())
    done = muster("db", "ingest")
    assert done.stdout.startswith("1 runs read, 0 unchanged")
    assert "run-1/journal.jsonl:1: no record" in done.stderr
    assert muster("db", "ingest").stdout.startswith("0 runs read, 1 unchanged")
    assert json.loads(muster("db", "rebuild", "--json").stdout)["read"] == ["run-1"]


def test_without_runs_the_error_says_what_to_type():
    with pytest.raises(UsageError, match="no runs yet"):
        muster("matrix")
