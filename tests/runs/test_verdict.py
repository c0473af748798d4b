"""From messages and endings to results."""

import pytest

from modelmuster.records import CellError, Outcome, Result, Stage
from modelmuster.runs.messages import CellDone, CellStopped, CheckDone, CheckStarted, StageEntered
from modelmuster.runs.verdict import Account, Ending, results

CHECKS = ("a", "b", "c")
SEGV = Ending(Outcome.CRASH, "killed by SIGSEGV", CellError(type="SIGSEGV", message="killed"))


def account(*messages):
    told = Account()
    for message in messages:
        told.take(message)
    return told


def done(check, outcome=Outcome.PASS):
    return CheckDone(Result(check=check, outcome=outcome))


def rows(found):
    return [(row.check, row.outcome, row.stage) for row in found]


def test_a_crash_hits_the_check_that_was_running_and_leaves_the_others_as_they_are():
    told = account(
        StageEntered(Stage.BUILD, 0.0),
        CheckStarted("a"),
        done("a"),
        CheckStarted("b"),
        StageEntered(Stage.RUN, 5.0),
    )
    found = results(CHECKS, told, SEGV)
    assert rows(found) == [
        ("a", Outcome.PASS, None),
        ("b", Outcome.CRASH, Stage.RUN),
        ("c", Outcome.NOT_RUN, None),
    ]
    assert found[1].error.type == "SIGSEGV"
    assert "SIGSEGV" in found[2].message


def test_a_crash_before_the_first_check_is_the_outcome_of_all():
    found = results(CHECKS, account(StageEntered(Stage.COMPILE, 0.0)), SEGV)
    assert rows(found) == [(name, Outcome.CRASH, Stage.COMPILE) for name in CHECKS]


def test_a_crash_before_the_first_word_is_in_build():
    assert {row.stage for row in results(CHECKS, Account(), SEGV)} == {Stage.BUILD}


def test_checks_that_did_not_fit_keep_their_answer_when_the_build_crashes():
    told = account(done("b", Outcome.NOT_APPLICABLE), StageEntered(Stage.BUILD, 0.0))
    assert [row.outcome for row in results(CHECKS, told, SEGV)] == [
        Outcome.CRASH,
        Outcome.NOT_APPLICABLE,
        Outcome.CRASH,
    ]


def test_a_crash_between_two_checks_hits_the_next():
    told = account(CheckStarted("a"), done("a"))
    assert [row.outcome for row in results(CHECKS, told, SEGV)] == [Outcome.PASS, Outcome.CRASH, Outcome.NOT_RUN]


def test_a_crash_after_the_last_check_changes_nothing():
    told = account(*(message for name in CHECKS for message in (CheckStarted(name), done(name))))
    assert {row.outcome for row in results(CHECKS, told, SEGV)} == {Outcome.PASS}


def test_a_failed_build_is_the_outcome_of_every_open_check():
    error = CellError(type="ValueError", message="no")
    told = account(done("a", Outcome.NOT_APPLICABLE), CellStopped(Outcome.ERROR, Stage.INPUTS, "no", error))
    found = results(CHECKS, told, None)
    assert rows(found)[1:] == [("b", Outcome.ERROR, Stage.INPUTS), ("c", Outcome.ERROR, Stage.INPUTS)]
    assert found[1].error == error


def test_a_check_without_any_answer_is_not_run():
    assert [row.outcome for row in results(("a",), account(CellDone(1.0, 1.0, 1)), None)] == [Outcome.NOT_RUN]


def test_time_is_booked_on_the_stage_it_was_spent_in():
    told = account(
        StageEntered(Stage.BUILD, 0.0),
        StageEntered(Stage.RUN, 10.0),
        StageEntered(Stage.BUILD, 15.0),
        CellDone(18.0, 1.0, 1),
    )
    assert told.stages_ms == pytest.approx({"build": 13.0, "run": 5.0})
