"""The matrix as a picture: what the table says, and nothing fetched from anywhere."""

import re
from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner

from modelmuster.cli.matrix import matrix
from modelmuster.errors import UsageError
from modelmuster.records import Outcome
from modelmuster.settings import Home
from run_folders import make_cell, make_record, write_run

app = typer.Typer()
app.command()(matrix)


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    cells = [make_cell("bert"), make_cell("<b>")]
    records = [make_record("r", cells[0]), make_record("r", cells[1], (Outcome.PASS, Outcome.FAIL))]
    write_run(Home(tmp_path / "home"), "r", cells, records)
    return tmp_path


def test_a_picture_says_what_the_table_says(at_home):
    done = CliRunner().invoke(app, ["--all", "--svg", "docs/matrix.svg"])
    assert done.exit_code == 0, done.output
    content = (at_home / "docs" / "matrix.svg").read_text(encoding="utf-8")
    text = "".join(ET.fromstring(content).itertext()).replace("\xa0", " ")
    for said in ("bert", "<b>", "torch:cpu", "X 1/2", "muster matrix --run r", "3 of 4 decided"):
        assert said in text
    assert not re.search(r"url\(\s*['\"]?http", content)


def test_one_format_at_a_time(at_home):
    done = CliRunner().invoke(app, ["--json", "--svg", "x.svg"])
    assert isinstance(done.exception, UsageError)
