"""Charts as files: every kind in both formats, with what the matrix says; hostile names stay text."""

import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from modelmuster import store
from modelmuster.cli.app import app
from modelmuster.errors import MissingDependency, UsageError
from modelmuster.records import Inference, Outcome
from modelmuster.settings import Home
from run_folders import make_cell, make_record, write_run
from synthetic_run import HOSTILE_NAME, TARGETS, synthetic_run, write_folder


def plot(*arguments):
    return CliRunner().invoke(app, ["plot", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    home = Home(tmp_path / "muster")
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def full(at_home):
    write_folder(at_home, *synthetic_run(20, targets=TARGETS))
    store.ingest(at_home)
    return at_home


def texts(path):
    return " ".join("".join(element.itertext()) for element in ET.parse(path).iter() if element.tag.endswith("}text"))


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("kind", ["heatmap", "latency", "trend", "coverage"])
def test_every_kind_is_drawn_in_both_formats(tmp_path, kind):
    assert f"{kind} of run" in plot(kind).stderr
    assert texts(tmp_path / f"{kind}.svg")
    plot(kind, "--output", tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("full")
def test_charts_carry_names_counts_and_rates(tmp_path):
    plot("heatmap")
    said = texts(tmp_path / "heatmap.svg")
    assert HOSTILE_NAME in said
    assert "pass rate" in said
    assert "not counted" in said
    plot("coverage")
    assert "coverage" in texts(tmp_path / "coverage.svg")
    plot("latency", "--target", "torch:*")
    said = texts(tmp_path / "latency.svg")
    assert "n = " in said
    assert "onnxruntime" not in said


def test_dollar_signs_are_no_mathematics_and_many_rows_become_families(at_home, tmp_path):
    write_run(at_home, "many", [make_cell(f"$\\frac{number}$") for number in range(121)])
    plot("heatmap")
    assert "121/121" not in texts(tmp_path / "heatmap.svg")
    assert "242/242" in texts(tmp_path / "heatmap.svg").replace("\u202f", "")
    write_run(at_home, "some", [make_cell("$\\frac$")], created_at="2027-01-01T00:00:00+00:00")
    plot("heatmap")
    assert "$\\frac$" in texts(tmp_path / "heatmap.svg")


def test_a_mock_only_run_yields_no_latency(at_home):
    cell = make_cell("bert", "mock")
    write_run(at_home, "only", [cell], [make_record("only", cell, [Outcome.NOT_RUN] * 2, inference=Inference.MOCK)])
    with pytest.raises(UsageError, match="no time of a model that really ran"):
        plot("latency")


@pytest.mark.usefixtures("full")
def test_what_cannot_be_drawn_is_a_message(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="unknown chart"):
        plot("pie")
    with pytest.raises(UsageError, match=r"\.svg or \.png"):
        plot("trend", "--output", "trend.gif")
    with pytest.raises(UsageError, match="cannot write"):
        plot("trend", "--output", tmp_path / "no" / "such" / "folder.svg")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingDependency, match="matplotlib"):
        plot("trend")
