"""The folder of a site: what is written, what is never overwritten, and what each page says of a bare store."""

import re

import pytest
from typer.testing import CliRunner

from modelmuster import store
from modelmuster.cli.app import app
from modelmuster.errors import UsageError
from modelmuster.records import Inference, Outcome
from modelmuster.report.site import slug, write
from modelmuster.settings import Home
from run_folders import append, make_cell, make_record, write_run

OF_ONE_RUN = ("index", "coverage", "hardware", "performance", "workers", "honesty", "dependencies")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path / "muster"))
    return Home(tmp_path / "muster")


def site_of(home, folder):
    store.ingest(home)
    with store.reader(home) as reader:
        return write(reader, folder)


def test_one_run_says_that_there_is_nothing_to_compare_with_yet(home, tmp_path):
    write_run(home, "first", [make_cell("bert"), make_cell("vit")])
    made = site_of(home, tmp_path / "site")
    assert made.run_id == "first"
    assert made.pages == 12
    assert "first run on record" in (tmp_path / "site" / "index.html").read_text()
    assert "nothing to compare it with yet" in (tmp_path / "site" / "history.html").read_text()
    assert (tmp_path / "site" / "models" / "vit.html").exists()


def test_a_mock_only_run_says_so_and_what_to_type(home, tmp_path):
    cell = make_cell("bert", "mock")
    write_run(home, "only", [cell], [make_record("only", cell, [Outcome.NOT_RUN] * 2, inference=Inference.MOCK)])
    site_of(home, tmp_path / "site")
    for page in OF_ONE_RUN:
        assert "muster run bert llama vit" in (tmp_path / "site" / f"{page}.html").read_text()
        assert "says nothing about any model" in (tmp_path / "site" / f"{page}.html").read_text()


def test_a_run_that_still_goes_says_what_was_not_reached(home, tmp_path):
    folder = write_run(home, "going", [make_cell("bert"), make_cell("vit")], [])
    append(folder, [make_record("going", make_cell("bert"))])
    site_of(home, tmp_path / "site")
    for page in OF_ONE_RUN:
        assert "muster run --resume --of going" in (tmp_path / "site" / f"{page}.html").read_text()


def test_no_name_of_a_page_s_parts_is_given_twice(home, tmp_path):
    cell = make_cell("bert")
    for day in range(1, 8):
        run_id = f"2026-03-0{day}"
        write_run(home, run_id, [cell], [make_record(run_id, cell)], created_at=f"{run_id}T00:00:00+00:00")
    site_of(home, tmp_path / "site")
    for page in (tmp_path / "site").rglob("*.html"):
        names = re.findall(r'\sid="([^"]*)"', page.read_text())
        assert len(names) == len(set(names)), page.name


def test_a_site_is_written_over_but_nothing_else_is(home, tmp_path):
    write_run(home, "first", [make_cell("bert")])
    site_of(home, tmp_path / "site")
    (tmp_path / "site" / "models" / "gone.html").write_text("old")
    site_of(home, tmp_path / "site")
    assert not (tmp_path / "site" / "models" / "gone.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    with pytest.raises(UsageError, match="something else"):
        site_of(home, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_without_runs_and_with_two_outputs_the_command_says_what_to_do(home, tmp_path):
    with pytest.raises(UsageError, match="no runs yet"):
        CliRunner().invoke(app, ["report", "--site", str(tmp_path / "site")], catch_exceptions=False)
    with pytest.raises(UsageError, match="folder of its own"):
        CliRunner().invoke(app, ["report", "--site", "x", "--format", "json"], catch_exceptions=False)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "<img>", "-rf", "", "ü", "x" * 300])
def test_a_name_that_no_file_should_have_gets_a_mark_of_its_own(name):
    assert slug(name).startswith("type-")
    assert "/" not in slug(name)


def test_an_ordinary_name_is_its_own_file():
    assert slug("qwen2_5-vl.3") == "qwen2_5-vl.3"
