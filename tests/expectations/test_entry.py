"""Which results an entry speaks of."""

import msgspec
import pytest

from modelmuster.expectations.entry import Expectation
from modelmuster.records import Outcome, Scale
from run_folders import make_cell, make_result

BASE = {"architecture": "bert", "check": "reference", "outcome": "fail", "reason": "Made up for this test only."}


def entry(**changes):
    return msgspec.convert(BASE | changes, Expectation)


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"architecture": "be*"}, True),
        ({"architecture": "bart"}, False),
        ({"class": "BertModel"}, True),
        ({"class": "BertForMaskedLM"}, False),
        ({"target": "torch:*"}, True),
        ({"target": "openvino:cpu"}, False),
        ({"check": "forward"}, False),
        ({"dtype": "bfloat16"}, False),
        ({"scale": "default"}, False),
    ],
)
def test_an_entry_covers_what_all_its_fields_fit(changes, covered):
    assert entry(**changes).covers(make_cell(), "reference") is covered


def test_another_outcome_than_the_expected_is_not_foreseen():
    assert entry().foresees(make_result("reference", Outcome.FAIL))
    assert not entry().foresees(make_result("reference", Outcome.CRASH))


@pytest.mark.parametrize(
    ("specifier", "version", "holds"),
    [
        ("", None, True),
        (">=5.23", "5.23.0", True),
        (">=5.23", "5.24.0.dev0", True),
        (">=5.23,<5.24", "5.24.1", False),
        (">=5.23", None, False),
        (">=5.23", "not a version", False),
    ],
)
def test_an_entry_holds_for_its_versions(specifier, version, holds):
    assert entry(transformers=specifier).in_force(version) is holds


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"reason": ""}, "sentence"),
        ({"reason": "TODO: say why this is known."}, "sentence"),
        ({"reason": "upstream bug"}, "sentence"),
        ({"outcome": "pass"}, "needs no expectation"),
        ({"outcome": "sad"}, "sad"),
        ({"transformers": "5.23 or later"}, "specifier"),
        ({"klass": "BertModel"}, "klass"),
        ({"architecture": 3}, "architecture"),
    ],
)
def test_an_entry_that_says_too_little_is_refused(changes, complaint):
    with pytest.raises(msgspec.ValidationError, match=complaint):
        entry(**changes)


def test_the_removal_names_all_that_narrows_the_entry():
    narrow = entry(**{"class": "BertModel"}, target="torch:*", dtype="float16", scale="default")
    assert narrow.scale is Scale.DEFAULT
    assert narrow.removal() == (
        "muster expect remove bert --check reference --class BertModel --target 'torch:*' --dtype float16 "
        "--scale default"
    )
