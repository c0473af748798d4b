"""A cell from the inside, in this very process: what is reported, in which order."""

import pytest

from modelmuster.records import Outcome, Stage
from modelmuster.runs import messages
from modelmuster.runs.cell import run_cell
from modelmuster.runs.verdict import Account


@pytest.fixture
def tell(job):
    """Run a cell here; gives the account of its messages, each having gone through its encoding."""

    def run(*checks, **options):
        told = Account()
        run_cell(job(*checks, **options), lambda message: told.take(messages.decode(messages.encode(message))))
        return told

    return run


@pytest.fixture
def listen(job):
    """Run a cell here; gives the messages."""

    def run(*checks, **options):
        heard = []
        run_cell(job(*checks, **options), heard.append)
        return heard

    return run


def test_everything_is_told_in_order(listen):
    heard = [type(message).__name__ for message in listen("ok", "fails")]
    assert heard == [
        "StageEntered",
        "RecipeMade",
        "StageEntered",
        "CheckStarted",
        "StageEntered",
        "StageEntered",
        "StageEntered",
        "EvidenceRead",
        "CheckDone",
        "CheckStarted",
        "StageEntered",
        "CheckDone",
        "CellDone",
    ]


def test_a_pass_has_no_stage_a_fail_has_one_and_both_have_their_cost(tell):
    told = tell("ok", "fails")
    assert (told.results["ok"].outcome, told.results["ok"].stage) == (Outcome.PASS, None)
    assert (told.results["fails"].outcome, told.results["fails"].stage) == (Outcome.FAIL, Stage.RUN)
    assert told.results["fails"].figures == {"got": 7, "wanted": 6}
    assert told.results["ok"].measurement.duration_ms > 0
    assert told.results["ok"].measurement.cpu_ms is not None
    assert told.evidence.device_name == "toy abacus"
    assert told.done.peak_rss_bytes > 1 << 20


def test_a_check_that_never_asks_the_runtime_leaves_evidence_of_where_the_model_is_all_the_same(tell):
    told = tell("odd_figures")
    assert told.results["odd_figures"].outcome is Outcome.PASS
    assert told.evidence is not None


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("wants_vision", "asked of vision; this is other"),
        ("wants_audio", "asked of models that take audio"),
        ("wants_module", "needs a runtime that offers: module"),
        ("declines", "not on a Monday"),
    ],
)
def test_a_check_that_does_not_fit_says_why(tell, check, reason):
    result = tell(check).results[check]
    assert (result.outcome, result.message, result.stage) == (Outcome.NOT_APPLICABLE, reason, None)


def test_nothing_is_opened_when_no_check_fits(tell):
    told = tell("wants_vision", model_type="segv-in-compile")
    assert told.recipe is None
    assert told.done is not None


@pytest.mark.parametrize(
    ("check", "model_type", "outcome", "words"),
    [
        ("raises", "toy", Outcome.ERROR, "ValueError: bad value"),
        ("unpicklable", "toy", Outcome.ERROR, "cannot be read"),
        ("sys_exit", "toy", Outcome.ERROR, "SystemExit: enough"),
        ("wrong_type", "toy", Outcome.ERROR, "answered with a str"),
        ("ok", "unsupported", Outcome.UNSUPPORTED, "cannot double"),
        ("ok", "no-evidence", Outcome.ERROR, "the device has gone"),
        ("unstable", "unstable", Outcome.NOT_APPLICABLE, "two runs differ"),
        ("unstable", "no-reference", Outcome.NOT_APPLICABLE, "the float64 reference cannot be computed"),
        ("no-such-check", "toy", Outcome.ERROR, "unknown check"),
    ],
)
def test_what_goes_wrong_in_a_check_is_its_outcome_alone(tell, check, model_type, outcome, words):
    told = tell("declines", check, "fails", model_type=model_type)
    assert told.results[check].outcome is outcome
    assert words in told.results[check].message
    assert told.results[check].error is not None
    assert told.results["fails"].outcome is (outcome if model_type == "unsupported" else Outcome.FAIL)


def test_a_build_that_fails_stops_the_cell_in_its_stage(tell):
    told = tell("ok", "wants_vision", model_type="cannot-build")
    assert (told.stopped.outcome, told.stopped.stage) == (Outcome.ERROR, Stage.INPUTS)
    assert told.results == {}
    assert told.stopped.error.type == "CannotBuild"


def test_a_dtype_that_the_target_does_not_offer_is_unsupported(job, make_cell):
    from dataclasses import replace

    asked = replace(job("ok"), cell=make_cell("ok", dtype="float8"))
    told = Account()
    run_cell(asked, told.take)
    assert told.stopped.outcome is Outcome.UNSUPPORTED
    assert "float8" in told.stopped.message


def test_a_target_that_does_not_load_stops_the_cell(tell):
    told = tell("ok", target="toy:broken")
    assert told.stopped.outcome is Outcome.ERROR
    assert "does not load" in told.stopped.message


def test_figures_are_stored_as_json_can_hold_them(tell):
    result = tell("odd_figures").results["odd_figures"]
    assert result.figures == {"single": 0.5, "count": 3, "nan": "nan", "inf": "inf"}
    assert result.message == "a lone ? surrogate"


def test_a_mock_never_passes(tell):
    told = tell("ok", "fails", target="toy:mock")
    assert told.results["ok"].outcome is Outcome.NOT_RUN
    assert told.results["ok"].message.startswith("no model ran")
    assert told.results["ok"].held
