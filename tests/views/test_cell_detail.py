"""One cell with everything that is known about it."""

import pytest
from stored_run import BERT_HALF, LLAMA, NEW, SWIN, VIDEO, VIT

from modelmuster.errors import UnknownName
from modelmuster.records import Outcome
from modelmuster.views.cell import cell
from run_folders import make_environment, make_recipe


def test_a_cell_holds_checks_recipe_environment_and_command(reader):
    found = cell(reader, NEW, LLAMA.id)
    assert found.outcome is Outcome.ERROR
    assert [check.result.outcome for check in found.checks] == [Outcome.ERROR, Outcome.NOT_APPLICABLE]
    assert (found.checks[0].error_message, found.checks[0].traceback) == ("bad shape", "Traceback: bad shape")
    assert found.recipe == make_recipe(LLAMA)
    environment = make_environment()
    assert found.environment is not None
    assert sorted(found.environment.packages, key=str) == sorted(environment.packages, key=str)
    assert (found.environment.commit, found.environment.devices) == (environment.commit, environment.devices)
    assert found.reproduce == "muster run llama --class LlamaModel --target torch:cpu"


def test_cells_that_fail_alike_are_counted_without_mock_ones(reader):
    assert cell(reader, NEW, LLAMA.id).checks[0].same_elsewhere == 1
    assert cell(reader, NEW, VIT.id).checks[0].same_elsewhere == 1
    assert cell(reader, NEW, BERT_HALF.id).checks[1].same_elsewhere == 0


def test_every_attempt_is_there_and_one_decides(reader):
    found = cell(reader, NEW, SWIN.id)
    first, second = found.attempts
    assert (first.decides, second.decides, found.deciding) == (False, True, second)
    assert [result.outcome for result in first.results] == [Outcome.CRASH, Outcome.CRASH]
    assert (second.number, second.log_tail, second.stages_ms) == (2, "a line of the log", {"build": 10.0, "run": 20.0})
    assert (found.outcome, found.checks[0].result.flaky, found.checks[0].result.attempts) == (Outcome.PASS, True, 2)


def test_a_cell_that_never_ran_has_nothing_but_its_plan(reader):
    found = cell(reader, "latest", VIDEO.id)
    assert (found.outcome, found.attempts, found.recipe, found.deciding) == (Outcome.NOT_RUN, (), None, None)
    assert [check.result.outcome for check in found.checks] == [Outcome.NOT_RUN, Outcome.NOT_RUN]


def test_an_unknown_cell_is_refused_with_the_nearest(reader):
    with pytest.raises(UnknownName) as caught:
        cell(reader, NEW, LLAMA.id.replace("llama", "lama"))
    assert LLAMA.id in caught.value.near
