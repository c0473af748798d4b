"""Runs of other machines: brought here without harm, however often, and made one."""

import shutil

import pytest
import typer
from typer.testing import CliRunner

from modelmuster import store
from modelmuster.cli import db
from modelmuster.errors import UsageError
from modelmuster.records import Outcome
from modelmuster.runs import folders, importing, journal
from modelmuster.settings import Home
from modelmuster.views.narrowing import narrow
from modelmuster.views.results import rows
from run_folders import append, make_cell, make_environment, make_record, write_run

P, F = Outcome.PASS, Outcome.FAIL
BERT, VIT, LLAMA = make_cell("bert"), make_cell("vit"), make_cell("llama")


@pytest.fixture
def there(tmp_path):
    return Home(tmp_path / "there")


def contents(home):
    return {path.relative_to(home.root): path.read_bytes() for path in home.runs.rglob("*") if path.is_file()}


def test_a_run_is_brought_whole_and_doing_it_again_changes_nothing(home, there):
    source = write_run(there, "a", [BERT, VIT])
    (source / "logs").mkdir()
    (source / "logs" / "bert.log").write_text("said")
    [first] = importing.import_runs(home, [there.root])
    before = contents(home)
    [second] = importing.import_runs(home, [source])
    assert (first.state, second.state) == ("new", "unchanged")
    assert contents(home) == before
    assert (home.runs / "a" / "logs" / "bert.log").read_text() == "said"
    with store.reader(home) as reader:
        assert len(rows(reader, narrow(reader))) == 4


def test_a_run_that_went_on_meanwhile_is_continued_and_never_shortened(home, there, tmp_path):
    source = write_run(there, "a", [BERT, VIT], [make_record("a", BERT)])
    early = shutil.copytree(source, tmp_path / "early")
    importing.import_runs(home, [source])
    append(source, [make_record("a", VIT)])
    assert importing.import_runs(home, [source])[0].state == "longer"
    assert importing.import_runs(home, [early])[0].state == "unchanged"
    assert len(list(journal.read(folders.open_run(home, "a").journal))) == 2


def test_a_torn_last_line_is_left_behind(home, there):
    source = write_run(there, "a", [BERT, VIT], [make_record("a", BERT)])
    with (source / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind": "cell", "torn')
    importing.import_runs(home, [source])
    assert len(list(journal.read(folders.open_run(home, "a").journal))) == 1


def test_another_run_of_the_same_id_is_refused_and_nothing_is_overwritten(home, there):
    write_run(home, "a", [BERT], [make_record("a", BERT)])
    before = contents(home)
    source = write_run(there, "a", [BERT], [make_record("a", BERT, (P, F))])
    with pytest.raises(UsageError, match="differs"):
        importing.import_runs(home, [source])
    assert contents(home) == before


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "", "a/b", ".hidden"])
def test_an_id_that_leads_out_of_the_folder_is_refused(home, there, name):
    source = write_run(there, "a", [BERT])
    plan = (source / "plan.json").read_text().replace('"run_id":"a"', f'"run_id":"{name}"')
    (source / "plan.json").write_text(plan)
    with pytest.raises(UsageError, match="no id of a run"):
        importing.import_runs(home, [source])
    assert not list(home.runs.iterdir())


def test_links_in_a_foreign_folder_are_not_followed(home, there, tmp_path):
    source = write_run(there, "a", [BERT])
    (tmp_path / "secret").write_text("secret")
    (source / "logs").mkdir()
    (source / "logs" / "x.log").symlink_to(tmp_path / "secret")
    importing.import_runs(home, [source])
    assert not list((home.runs / "a" / "logs").iterdir())


@pytest.mark.parametrize("name", ["journal.jsonl", "environment.json", "status.json"])
def test_a_link_in_place_of_a_file_of_a_run_is_refused(home, there, tmp_path, name):
    source = write_run(there, "a", [BERT])
    (tmp_path / "secret").write_text("secret\n")
    (source / name).unlink(missing_ok=True)
    (source / name).symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match=rf"{name}: a link") as error:
        importing.import_runs(home, [source])
    assert "cp -rL" in str(error.value)
    assert not list(home.runs.iterdir())


def test_a_place_without_a_run_is_refused(home, tmp_path):
    with pytest.raises(UsageError, match="holds no run"):
        importing.import_runs(home, [tmp_path])


def test_shards_become_one_run_whose_machines_stay_apart(home, there):
    write_run(there, "a", [BERT], environment=make_environment(hostname="box-a"), unplanned={"odd": "no class"})
    write_run(there, "b", [VIT, LLAMA], [make_record("b", VIT)], environment=make_environment(hostname="box-b"))
    done = importing.import_runs(home, [there.root])
    made = importing.unite(home, [one.run_id for one in done], "muster db import --unite")
    plan = made.read_plan()
    assert [cell.model_type for cell in plan.cells] == ["bert", "vit", "llama"]
    assert plan.unplanned == {"odd": "no class"}
    assert set(made.read_environments()) == {"box-a", "box-b"}
    assert {record.run_id for record in journal.read(made.journal)} == {plan.run_id}
    store.ingest(home)
    with store.reader(home) as reader:
        found = {(row.model_type, row.check): row.outcome for row in rows(reader, narrow(reader, run=plan.run_id))}
    assert found["bert", "forward"] is P
    assert found["llama", "forward"] is Outcome.NOT_RUN


def test_claims_that_disagree_stay_visible(home):
    write_run(home, "a", [BERT], [make_record("a", BERT, (P, F), started_at="2026-03-01T10:00:00+00:00")])
    write_run(home, "b", [BERT], [make_record("b", BERT, (P, P), started_at="2026-03-02T10:00:00+00:00")])
    made = importing.unite(home, ["a", "b"], "")
    first, second = journal.read(made.journal)
    assert (first.final, first.results[1].outcome) == (False, F)
    assert (second.final, second.attempt) == (True, 2)
    assert [(result.outcome, result.flaky) for result in second.results] == [(P, False), (P, True)]


def test_the_command_imports_and_unites(home, there, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    write_run(there, "a", [BERT])
    write_run(there, "b", [VIT])
    app = typer.Typer()
    app.add_typer(db.app, name="db")
    done = CliRunner().invoke(app, ["db", "import", "--unite", str(there.root)])
    assert done.exit_code == 0, done.output
    assert "new: a, 1 records" in done.stderr
    assert "united as" in done.stderr
