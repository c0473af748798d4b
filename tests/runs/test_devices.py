"""Devices that die under a cell: a spoiled context is one crash, and a card that is gone is nobody's fault."""

import pytest

from modelmuster.records import Outcome


@pytest.fixture
def card(toy_folder):
    """Puts the card back into its slot."""
    mark = toy_folder / "card-is-gone"
    mark.unlink(missing_ok=True)
    yield mark
    mark.unlink(missing_ok=True)


def outcomes(record):
    return [result.outcome for result in record.results]


@pytest.mark.parametrize("target", ["toy:cpu", "toy:card"])
def test_a_spoiled_context_is_one_crash_and_blames_nothing_that_would_have_followed(run_one, card, target):
    record = run_one("ok", "spoils_context", "raises", target=target)
    assert not record.lost
    assert outcomes(record) == [Outcome.PASS, Outcome.CRASH, Outcome.NOT_RUN]
    assert "illegal memory access" in record.results[1].message
    assert record.results[2].message == "not reached: the device's context was spoiled in the check before"


@pytest.mark.parametrize(("checks", "model_type"), [(["ok", "pulls_card", "prints"], "m"), (["ok"], "pulls-the-card")])
def test_a_card_that_is_gone_is_a_loss_and_then_unavailable(executor, job, card, checks, model_type):
    lost, again = executor.run([job(*checks, model_type=model_type, target="toy:card")])
    assert lost.lost
    assert {result.outcome for result in lost.results} <= {Outcome.PASS, Outcome.NOT_RUN}
    assert lost.results[-1].message == "the target was lost while this cell ran: no card in the slot"
    assert not again.lost
    assert set(outcomes(again)) == {Outcome.UNAVAILABLE}


def test_the_rest_of_a_run_goes_on_without_the_card(executor, job, card):
    jobs = [job("pulls_card", model_type="first", target="toy:card")]
    jobs += [job("ok", model_type=f"m{number}", target="toy:cpu") for number in range(3)]
    decided = {record.cell.model_type: record for record in executor.run(jobs) if not record.lost}
    assert outcomes(decided.pop("first")) == [Outcome.UNAVAILABLE]
    assert [outcomes(record) for record in decided.values()] == [[Outcome.PASS]] * 3


def test_an_error_on_a_card_that_is_still_there_is_the_cells_own(run_one, card):
    record = run_one("raises", "ok", target="toy:card")
    assert not record.lost
    assert outcomes(record) == [Outcome.ERROR, Outcome.PASS]
