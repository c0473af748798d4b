"""Percentiles and the interval of the median, against what is known of them."""

import random

import pytest

from modelmuster.measure.statistics import half_width, median, median_interval, percentile


def test_percentiles_are_values_that_were_seen():
    ordered = [float(value) for value in range(1, 101)]
    assert (percentile(ordered, 0.1), percentile(ordered, 0.5), percentile(ordered, 0.99)) == (10, 50, 99)


@pytest.mark.parametrize(("count", "share"), [(9, 0.1), (9, 0.9), (99, 0.99), (0, 0.5)])
def test_too_few_values_have_no_such_percentile(count, share):
    assert percentile([1.0] * count, share) is None


def test_the_median_of_an_even_number_lies_between_the_middle_two():
    assert (median([1, 2, 9]), median([1, 2, 4, 9])) == (2, 3)


@pytest.mark.parametrize(("count", "ranks"), [(6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (100, (40, 61))])
def test_the_interval_is_that_of_the_tables(count, ranks):
    """Ranks at 95 % as tables of the sign test give them."""
    assert median_interval([float(rank) for rank in range(1, count + 1)], 0.95) == ranks


def test_five_values_enclose_nothing_with_that_confidence():
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.95) is None
    assert half_width([1.0, 2.0, 3.0, 4.0, 5.0], 0.95) == float("inf")


def test_the_interval_encloses_the_true_median_of_a_skewed_distribution_as_often_as_it_says():
    draw = random.Random(0)
    inside = 0
    for _ in range(2000):
        low, high = median_interval(sorted(draw.lognormvariate(0, 1) for _ in range(30)), 0.95)
        inside += low <= 1.0 <= high
    assert inside / 2000 >= 0.95


def test_thousands_of_values_do_not_overflow():
    low, high = median_interval([float(value) for value in range(20_000)], 0.95)
    assert high - low < 300
