"""One run beside the one before it."""

import pytest
from stored_run import NEW, OLD

from modelmuster.errors import UnknownName
from modelmuster.records import Outcome
from modelmuster.views.overview import overview
from modelmuster.views.runs import find
from modelmuster.views.turns import turns


def test_the_overview_puts_every_number_beside_its_denominator(reader):
    found = overview(reader)
    assert (found.run_id, found.previous) == (NEW, OLD)
    assert (found.answered, found.architectures) == (4, 6)
    assert found.summary.total.planned == found.realness.planned == 12
    assert found.realness.hardware + found.realness.nothing == 12
    assert found.realness.mock == found.summary.total.mock == 2
    assert found.environment_changes == ()
    assert [(last.target, last.run_id, last.days) for last in found.targets] == [("torch:cpu", NEW, 0.0)]


def test_marks_that_turned_are_told_with_their_direction(reader):
    found = turns(reader, find(reader, OLD), find(reader, NEW))
    told = {(turn.model_type, turn.dtype, turn.scale): turn.direction for turn in found}
    assert told[("llama", "float32", "tiny")] == "new"
    assert told[("bert", "float32", "default")] == "gone"
    assert ("bert", "float32", "tiny") not in told
    assert not any(turn.target == "toy" for turn in found)
    back = {(turn.model_type, turn.scale): turn for turn in turns(reader, find(reader, NEW), find(reader, OLD))}
    assert back["bert", "default"].before is None
    assert back["bert", "default"].after is Outcome.NOT_RUN


def test_the_first_run_has_none_before_it(reader):
    found = overview(reader, OLD)
    assert found.previous is None
    assert found.turns == ()
    with pytest.raises(UnknownName):
        overview(reader, against="1999")
