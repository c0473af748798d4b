"""The gate, by the command: the table of cases with their exit codes."""

import json
import subprocess

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from modelmuster.cli import gate
from modelmuster.errors import UnknownName, UsageError
from modelmuster.records import Inference, Outcome, Package
from modelmuster.settings import Home
from run_folders import make_cell, make_environment, make_record, make_result, write_run

P, F, E, U, NR = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.UNAVAILABLE, Outcome.NOT_RUN
BERT, VIT = make_cell("bert"), make_cell("vit")

app = typer.Typer()
app.command("gate")(gate.gate)
app.command("compare")(gate.compare)


def muster(*arguments):
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path / "home")


@pytest.fixture
def stored(home):
    """Write a run of bert and vit, `forward` and `reference` each."""

    def write(run_id, bert=(P, P), vit=(P, P), *, day=1, records=None, **options):
        made = [make_record(run_id, BERT, bert), make_record(run_id, VIT, vit)] if records is None else records
        write_run(home, run_id, [BERT, VIT], made, created_at=f"2026-03-0{day}T09:00:00+00:00", **options)

    return write


def test_all_passed_is_open(stored):
    stored("a")
    done = muster("gate")
    assert done.exit_code == 0
    assert "the gate is open: 4 of 4 decided passed" in done.stdout


def test_without_a_baseline_every_unforeseen_finding_closes_it(stored):
    stored("a", bert=(P, F))
    done = muster("gate")
    assert done.exit_code == 1
    assert "broken: new_failures: 1 found, 0 allowed" in done.stdout
    assert "muster run bert --class BertModel --target torch:cpu --check reference" in done.stdout
    assert "muster expect update a" in done.stdout


def test_a_foreseen_finding_does_not(stored):
    foreseen = [make_result("forward", F, expected="known upstream"), make_result("reference")]
    stored("a", records=[make_record("a", BERT, results=foreseen), make_record("a", VIT)])
    assert muster("gate").exit_code == 0


def test_what_failed_before_may_fail_again_and_what_is_new_may_not(stored):
    stored("a", bert=(P, F))
    stored("b", bert=(P, F), day=2)
    assert muster("gate", "--baseline", "previous").exit_code == 0
    stored("c", bert=(P, F), vit=(E, P), day=3)
    done = muster("gate", "--baseline", "a")
    assert done.exit_code == 1
    assert "vit" in done.stdout
    assert "bert|" not in done.stdout


def test_what_is_no_longer_answered_closes_it(stored):
    stored("a")
    stored("b", vit=(U, U), day=2)
    done = muster("gate", "--baseline", "a")
    assert done.exit_code == 1
    assert "unanswered: 2 found" in done.stdout


def test_lost_work_is_told_apart_and_never_green(stored):
    stored("a")
    stored("b", records=[make_record("b", BERT)], day=2)
    for arguments in (["gate"], ["gate", "--baseline", "a"]):
        done = muster(*arguments)
        assert done.exit_code == 3
        assert "not_run: 2 found, 0 allowed, lost work" in done.stdout
        assert "muster run --resume --of b" in done.stdout


def test_nothing_decided_is_not_green(stored):
    stored("a", bert=(U, U), vit=(U, U))
    assert muster("gate").exit_code == 5


def test_mock_results_open_no_gate(stored):
    mock = [make_record("a", cell, (P, P), inference=Inference.MOCK) for cell in (BERT, VIT)]
    stored("a", records=mock)
    assert muster("gate").exit_code == 5


def test_a_saved_baseline_serves_as_one(stored, tmp_path):
    stored("a", bert=(P, F))
    assert muster("gate", "--save-baseline", "baseline.json").exit_code == 0
    stored("b", bert=(P, F), vit=(F, P), day=2)
    done = muster("gate", "--baseline", "baseline.json", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["exit_code"] == 1
    [broken] = found["verdict"]["broken"]
    assert [change["cell_id"] for change in broken["changes"]] == [VIT.id]


def test_another_machine_is_named_beside_the_verdict(stored):
    other = msgspec.structs.replace(make_environment(), packages=(Package(name="torch", version="2.14.0"),))
    stored("a")
    stored("b", day=2, environment=other)
    assert "differs: torch 2.13.0 → 2.14.0" in muster("gate", "--baseline", "a").stdout


def test_rules_come_from_the_project(stored, tmp_path):
    stored("a", bert=(P, F))
    (tmp_path / "muster.toml").write_text("[gate]\nnew_failures = 1\n")
    assert muster("gate").exit_code == 0
    (tmp_path / "muster.toml").write_text("[gate]\nnew_failures = 1\nmin_decided = 5\n")
    assert "min_decided: 4 found, 5 allowed" in muster("gate").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gate]\nnew_failure = 1\n", "did you mean 'new_failures'"),
        ("[gates]\n", "did you mean 'gate'"),
        ("[gate]\nmin_coverage = 7.0\n", "a share between 0 and 1"),
        ("[gate]\nnew_failures = 'many'\n", "Expected `int`"),
        ("[gate\n", "not valid TOML"),
    ],
)
def test_rules_that_cannot_be_read_are_refused(stored, tmp_path, text, said):
    stored("a")
    (tmp_path / "muster.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        muster("gate")
    assert said in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_baseline_that_is_missing_or_about_something_else_is_refused(stored, home):
    stored("a")
    with pytest.raises(UsageError, match="there is no baseline 'previous' yet"):
        muster("gate", "--baseline", "previous")
    with pytest.raises(UnknownName, match="unknown baseline 'nonsense'"):
        muster("gate", "--baseline", "nonsense")
    write_run(home, "z", [make_cell("llama")], created_at="2026-03-09T09:00:00+00:00")
    with pytest.raises(UsageError, match="none of the questions"):
        muster("gate", "--run", "z", "--baseline", "a")


def test_the_last_run_of_a_branch_is_found_by_its_commit(stored, tmp_path):
    def git(*arguments):
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--initial-branch", "trunk")
    git("commit", "--allow-empty", "--message", "one")
    one = git("rev-parse", "HEAD")
    git("checkout", "-b", "side")
    git("commit", "--allow-empty", "--message", "two")
    two = git("rev-parse", "HEAD")
    stored("a", environment=make_environment(commit=one))
    stored("b", bert=(F, F), day=2, environment=make_environment(commit=two))
    stored("c", day=3, environment=make_environment(commit=f"{one}+"))
    stored("d", bert=(F, P), day=4, environment=make_environment(commit=two))
    assert json.loads(muster("gate", "-b", "commit:trunk", "--json").stdout)["verdict"]["comparison"]["old"] == "a"
    assert json.loads(muster("gate", "-b", "commit:side", "--json").stdout)["verdict"]["comparison"]["old"] == "b"
    with pytest.raises(UsageError, match="git does not know"):
        muster("gate", "-b", "commit:nowhere")


def test_compare_lists_what_changed(stored):
    stored("a", bert=(P, F))
    stored("b", vit=(E, P), day=2)
    done = muster("compare", "a")
    assert done.exit_code == 0
    assert "new failure: vit" in done.stdout
    assert "fixed: bert" in done.stdout
    assert "2 changes in 4 questions" in done.stdout
    kinds = [change["kind"] for change in json.loads(muster("compare", "a", "b", "--json").stdout)["changes"]]
    assert kinds == ["new failure", "fixed"]


def test_a_summary_for_a_pull_request_and_annotations_are_written(stored, tmp_path):
    hostile = "a | b <img src=x>\n::set-output"
    failing = [make_result("forward", F, message=hostile), make_result("reference")]
    stored("a")
    stored("b", day=2, records=[make_record("b", BERT, results=failing), make_record("b", VIT)])
    done = muster("gate", "--baseline", "a", "--markdown", "out/summary.md", "--annotate")
    assert done.exit_code == 1
    summary = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    assert "the gate is closed" in summary
    assert "1 new failures" in summary
    assert "<img" not in summary
    [annotation] = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert annotation.startswith("::error title=bert")
    assert "%0A%3A%3Aset-output" in annotation or "%0A::set-output" in annotation


def test_a_summary_stays_short(home, tmp_path):
    cells = [make_cell(f"m{number}") for number in range(60)]
    write_run(home, "a", cells, [make_record("a", cell, (F, F)) for cell in cells])
    muster("gate", "--markdown", "s.md")
    summary = (tmp_path / "s.md").read_text(encoding="utf-8")
    assert summary.count("| new failure |") == 20
    assert "and 100 more" in summary
