"""The feed of changes, read back by an XML parser."""

from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner

from modelmuster.cli.feed import feed
from modelmuster.records import Inference, Outcome
from modelmuster.settings import Home
from run_folders import make_cell, make_environment, make_record, make_result, write_run

app = typer.Typer()
app.command()(feed)

P, F = Outcome.PASS, Outcome.FAIL
BERT, VIT, MOCK = make_cell("bert"), make_cell("vit"), make_cell("bert", target="mock")
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "</content><script>alert(1)</script> \x1b[31m & ]]>"


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = Home(tmp_path / "muster")
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    return home


def entries(tmp_path):
    done = CliRunner().invoke(app, ["--link", "https://example.org/"])
    assert done.exit_code == 0, done.output
    return ET.parse(tmp_path / "changes.atom").getroot().findall(f"{ATOM}entry")


def at(day):
    return f"2026-03-0{day}T09:00:00+00:00"


def test_a_failure_and_its_mending_are_an_entry_each_whatever_was_asked_between(home, tmp_path):
    newer = make_environment(packages=())
    write_run(home, "a", [BERT, VIT], created_at=at(1))
    write_run(home, "b", [VIT], created_at=at(2))
    write_run(home, "c", [BERT], [make_record("c", BERT, (P, F))], created_at=at(3), environment=newer)
    write_run(home, "d", [BERT, VIT], created_at=at(4))
    mended, failed = entries(tmp_path)
    assert failed.find(f"{ATOM}title").text == "1 new failure (c)"
    assert mended.find(f"{ATOM}title").text == "1 fixed (d)"
    assert failed.find(f"{ATOM}updated").text == "2026-03-03T09:00:00+00:00"
    content = failed.find(f"{ATOM}content").text
    assert "muster run bert" in content
    assert "torch 2.13.0 → missing" in content


def test_ids_stay_when_the_feed_is_written_again(home, tmp_path):
    write_run(home, "a", [BERT], created_at=at(1))
    write_run(home, "b", [BERT], [make_record("b", BERT, (F, P))], created_at=at(2))
    first = [entry.find(f"{ATOM}id").text for entry in entries(tmp_path)]
    write_run(home, "c", [BERT], created_at=at(3))
    assert [entry.find(f"{ATOM}id").text for entry in entries(tmp_path)][1:] == first


def test_hostile_messages_stay_text(home, tmp_path):
    write_run(home, "a", [BERT], created_at=at(1))
    failing = [make_result("forward", F, message=HOSTILE), make_result("reference")]
    write_run(home, "b", [BERT], [make_record("b", BERT, results=failing)], created_at=at(2))
    [entry] = entries(tmp_path)
    assert "<script" not in entry.find(f"{ATOM}content").text
    assert "&lt;script&gt;" in entry.find(f"{ATOM}content").text


def test_mock_results_and_first_runs_are_no_news(home, tmp_path):
    write_run(home, "a", [BERT], [make_record("a", BERT, (P, F))], created_at=at(1))
    mock = [make_record("b", MOCK, (F, F), inference=Inference.MOCK)]
    write_run(home, "b", [MOCK], mock, created_at=at(2))
    assert entries(tmp_path) == []
