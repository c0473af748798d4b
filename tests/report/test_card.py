"""The model card: measured and estimated apart, with provenance, and nothing of a mock in a count."""

import pytest
import typer
import yaml
from typer.testing import CliRunner

from modelmuster import store
from modelmuster.cli.card import card
from modelmuster.errors import UnknownName, UsageError
from modelmuster.history.timings import timings
from modelmuster.records import MEASURE, Inference, Outcome, Result, Scale
from modelmuster.report import card as cards
from modelmuster.settings import Home
from modelmuster.views.narrowing import narrow
from modelmuster.views.results import rows
from run_folders import make_cell, make_environment, make_record, make_result, make_timing, write_run

app = typer.Typer()
app.command()(card)

HOSTILE = "<img src=x> | `rm` [x](http://y)"
BERT = make_cell("bert")
LARGE = make_cell("bert", scale=Scale.DEFAULT, checks=(MEASURE,))
MOCK = make_cell("bert", target="mock")


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = Home(tmp_path / "muster")
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    timed = [Result(check=MEASURE, outcome=Outcome.PASS, timing=make_timing(median_ms=12.5))]
    failed = [make_result("forward"), make_result("reference", Outcome.FAIL, message=HOSTILE)]
    records = [
        make_record("r", BERT, results=failed),
        make_record("r", LARGE, results=timed),
        make_record("r", MOCK, (Outcome.NOT_RUN, Outcome.NOT_RUN), inference=Inference.MOCK),
    ]
    write_run(home, "r", [BERT, LARGE, MOCK, make_cell("vit")], records)
    return home


def made(home, **changes):
    with store.reader(home) as reader:
        found = rows(reader, narrow(reader, names=["bert"]))
        timed = timings(reader, run_id="r", model_type="bert")
    return cards.card(found, timed=timed, created_at="2026-03-01", environment=make_environment(), **changes)


def test_yaml_says_where_it_ran_and_what_came_of_it(home):
    told = yaml.safe_load(cards.as_yaml(made(home, no_estimate="not asked")))
    tiny, large, mock = told["measured"]
    assert tiny["provenance"]["device"] == "AMD EPYC"
    assert tiny["provenance"]["inference"] == "🚀 real"
    assert tiny["checks"] == {
        "outcomes": {"pass": 1, "fail": 1}, "decided": 2, "planned": 2, "passed": 1, "pass_rate": 0.5,
        "mock_not_counted": 0,
    }  # fmt: skip
    assert tiny["findings"][0]["reproduce"].startswith("muster run bert")
    [timing] = large["performance"]
    assert (timing["median_ms"], timing["repeats"], timing["covers"]) == (12.5, 100, "the forward pass alone")
    assert timing["reproduce"].startswith("muster ")
    assert mock["checks"]["decided"] == 0
    assert mock["checks"]["mock_not_counted"] == 2
    assert told["estimated"]["requirements"] is None
    assert told["environment"]["cpu"] == "AMD EPYC"


def test_a_tiny_model_has_no_speed(home):
    column = made(home).columns[0]
    assert column.scale is Scale.TINY
    assert column.measured == ()


def test_markdown_keeps_estimates_apart_and_lets_no_text_become_markup(home):
    done = CliRunner().invoke(app, ["bert"])
    assert done.exit_code == 0, done.output
    measured, _, estimated = done.stdout.partition("### Requirements, estimated")
    assert "1 of 2 (50.0 %)" in measured
    assert "12.5 ms" in measured
    assert "Nothing of this was measured" in estimated
    assert "parameters" in estimated
    assert "<img" not in done.stdout
    assert "[x](" not in done.stdout


def test_a_card_is_written_to_a_file_without_an_estimate(home, tmp_path):
    done = CliRunner().invoke(app, ["bert", "--format", "yaml", "--no-estimate", "--output", "cards/bert.yaml"])
    assert done.exit_code == 0, done.output
    told = yaml.safe_load((tmp_path / "cards" / "bert.yaml").read_text(encoding="utf-8"))
    assert told["estimated"]["none_because"] == "it was not asked for"


def test_what_does_not_exist_is_a_usage_error(home):
    assert isinstance(CliRunner().invoke(app, ["bert", "--format", "pdf"]).exception, UsageError)
    assert isinstance(CliRunner().invoke(app, ["*"]).exception, UsageError)
    assert isinstance(CliRunner().invoke(app, ["llama"]).exception, UnknownName)
