"""Badges: counts in words, grey where nothing real was tested."""

import json

import pytest

from modelmuster.records import Outcome
from modelmuster.report import badges
from modelmuster.views.rates import Tally


@pytest.mark.parametrize(
    ("tally", "message", "colour"),
    [
        (Tally({Outcome.PASS: 10}), "10 of 10 pass (100.0 %)", badges.GREEN),
        (Tally({Outcome.PASS: 99, Outcome.FAIL: 1}), "99 of 100 pass (99.0 %)", badges.YELLOW),
        (Tally({Outcome.PASS: 1, Outcome.CRASH: 1}), "1 of 2 pass (50.0 %)", badges.RED),
        (Tally({Outcome.UNAVAILABLE: 3}), "nothing tested", badges.GREY),
        (Tally({}, mock=50), "nothing tested", badges.GREY),
    ],
)
def test_a_badge_counts_real_results_only(tally, message, colour):
    made = json.loads(badges._badge("all", tally))
    assert made == {"schemaVersion": 1, "label": "all", "message": message, "color": colour}


def test_file_names_are_harmless():
    assert badges._slug("torch:cpu") == "torch-cpu"
    assert badges._slug("../../x") == "x"
