"""How long cells will take, by what others took."""

import pytest

from modelmuster.runs.ordering import forecast, kind
from run_folders import make_cell

BERT, VIT = make_cell("bert"), make_cell("vit")
SLOW = make_cell("bert", "webgpu:chromium")


def test_a_cell_takes_what_it_took_and_an_unknown_one_what_others_of_its_target_take():
    known = {kind(BERT): 3_000.0, kind(make_cell("gpt2")): 5_000.0, kind(make_cell("t5")): 9_000.0}
    found = forecast([BERT, VIT], known, slots=2)
    assert (found.seconds, found.measured) == (pytest.approx((3 + 5) / 2), 1)


def test_what_a_slow_target_states_stands_in_for_what_was_never_measured():
    found = forecast([SLOW], {}, slots=1)
    assert found.measured == 0
    assert found.seconds > 1


def test_where_nothing_is_known_of_a_target_there_is_no_forecast():
    assert forecast([BERT, SLOW], {}, slots=2) is None
