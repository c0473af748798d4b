"""Steps in measurements: found where they are, not seen where they are not, and not told without confirmation."""

import random

import pytest

from modelmuster.history.steps import Verdict, judge, noise, noise_floor


def series(length=30, spread=0.02, seed=0):
    dice = random.Random(seed)
    return [10 * dice.lognormvariate(0, spread) for _ in range(length)]


def stepped(values, place, ratio):
    return [value * (ratio if at >= place else 1) for at, value in enumerate(values)]


@pytest.mark.parametrize("ratio", [0.7, 1.2, 2.0])
def test_a_step_is_found_where_it_is(ratio):
    found = judge(stepped(series(), 14, ratio))
    assert found.verdict is Verdict.CHANGED
    [step] = found.steps
    assert abs(step.at - 14) <= 1
    assert step.ratio == pytest.approx(ratio, rel=0.05)


def test_steady_values_give_no_step():
    assert {judge(series(seed=seed)).verdict for seed in range(20)} == {Verdict.STEADY}


def test_outliers_are_told_apart_and_hide_no_step():
    values = stepped(series(), 14, 1.3)
    values[5] *= 2
    values[22] *= 2.5
    found = judge(values)
    assert found.outliers == (5, 22)
    assert [abs(step.at - 14) <= 1 for step in found.steps] == [True]


def test_one_slow_run_at_the_end_asks_for_a_rerun_and_three_are_a_step():
    values = series()
    assert judge([*values, 15.0]).verdict is Verdict.UNCONFIRMED
    assert judge([*values, 15.0, 15.1, 14.9]).verdict is Verdict.CHANGED


def test_noise_that_hides_steps_is_said_and_few_values_are_not_judged():
    noisy = judge(stepped(series(spread=0.4), 15, 1.5))
    assert (noisy.verdict, noisy.steps) == (Verdict.TOO_NOISY, ())
    assert noisy.noise > 0.2
    assert judge(series(5)).verdict is Verdict.TOO_FEW
    assert judge([1.0, 0.0, 1.0, 1.0, 1.0, 1.0]).verdict is Verdict.TOO_FEW


def test_the_noise_of_the_machine_hides_smaller_steps_than_the_series_own():
    values = stepped(series(), 14, 1.2)
    assert judge(values, floor=0.1).verdict is Verdict.STEADY
    assert judge(values, floor=0.1).smallest == pytest.approx(0.3)
    assert noise_floor([values, series(3)]) == noise(values)
    assert noise_floor([]) == 0.0


def test_values_without_any_noise_do_not_divide_by_zero():
    assert judge([10.0] * 10).verdict is Verdict.STEADY
    assert judge([10.0] * 6 + [12.0] * 4).verdict is Verdict.CHANGED
