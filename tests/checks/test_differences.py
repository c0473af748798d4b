"""How much an output changes is told by its numbers, not by the marks of a mask."""

import numpy as np

from modelmuster.checks.differences import influence
from modelmuster.contracts import Output


def outputs(values):
    return {"logits": Output(np.array(values, np.float32), "float32")}


def test_marks_of_a_mask_do_not_hide_a_change():
    before, after = outputs([-1e4, -1e4, 0.1, 0.2]), outputs([-1e4, -1e4, 0.1, 0.21])
    assert influence(before, after, "float32")[0] > 0.01


def test_a_mark_that_comes_or_goes_is_a_change():
    before, after = outputs([-1e4, -1e4, 0.1, 0.2]), outputs([-1e4, 0.3, 0.1, 0.2])
    assert influence(before, after, "float32")[0] > 0.1


def test_a_single_large_number_is_no_mark():
    before, after = outputs([1e4, 0.1, 0.2]), outputs([1e4, 0.1, 0.21])
    assert influence(before, after, "float32")[0] < 1e-5
