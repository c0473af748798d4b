"""The formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmuster.records import DECIDED, FINDINGS, Outcome
from modelmuster.views.rates import WORST_FIRST, Tally, percent, severity, tally


def row(outcome, results=1, *, mock=False, expected=False, flaky=False):
    return {"outcome": outcome, "results": results, "mock": mock, "expected": expected, "flaky": flaky}


def test_the_rate_is_passes_over_what_was_decided_and_coverage_that_over_what_was_planned():
    every = tally(row(outcome, number) for number, outcome in enumerate(Outcome, start=1))
    numbers = {outcome: number for number, outcome in enumerate(Outcome, start=1)}
    decided = sum(numbers[outcome] for outcome in DECIDED)
    assert every.pass_rate == numbers[Outcome.PASS] / decided
    assert every.coverage == decided / sum(numbers.values())
    assert every.findings == decided - numbers[Outcome.PASS]


def test_mock_results_enter_no_rate():
    mixed = tally([row("pass", 1), row("fail", 3), row("error", 90, mock=True), row("pass", 7, mock=True)])
    assert (mixed.planned, mixed.decided, mixed.pass_rate, mixed.coverage, mixed.mock) == (4, 4, 0.25, 1.0, 97)


def test_nothing_decided_has_no_rate():
    assert tally([row("not_run", 5)]).pass_rate is None
    assert tally([row("pass", 5, mock=True)]).coverage is None


def test_expected_counts_findings_only():
    found = tally([row("fail", 2, expected=True), row("pass", 3, expected=True), row("pass", 1, flaky=True)])
    assert (found.expected, found.flaky, found.passed) == (2, 1, 4)


def test_every_outcome_has_a_place_in_the_order_and_findings_come_first():
    assert sorted(WORST_FIRST) == sorted(Outcome)
    assert set(WORST_FIRST[: len(FINDINGS)]) == FINDINGS
    assert severity(Outcome.NOT_RUN) > severity(Outcome.PASS) > severity(Outcome.NOT_APPLICABLE)


def test_a_text_names_both_denominators():
    text = str(Tally({Outcome.PASS: 3, Outcome.FAIL: 1, Outcome.NOT_RUN: 1}, mock=2))
    assert "75.0 % (3 of 4 decided)" in text
    assert "80.0 % (4 of 5 planned)" in text
    assert "mock 2" in text


@pytest.mark.parametrize(("share", "text"), [(1, "100.0 %"), (0, "0.0 %"), (0.99999, "> 99.9 %"), (1e-6, "< 0.1 %")])
def test_only_all_is_a_hundred_percent(share, text):
    assert percent(share) == text


@given(st.dictionaries(st.sampled_from(list(Outcome)), st.integers(1, 10**9)))
def test_rates_are_shares(counts):
    found = tally(row(outcome.value, number) for outcome, number in counts.items())
    assert found.planned == sum(counts.values())
    for share in (found.pass_rate, found.coverage):
        assert share is None or 0 <= share <= 1
