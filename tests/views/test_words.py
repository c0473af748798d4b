"""The page about honesty and the words that reports carry are the same."""

from pathlib import Path

import pytest

from modelmuster.records import Inference, Outcome, Scale
from modelmuster.targets.mock.breaks import PROPERTIES
from modelmuster.views.words import FORMULAS, WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "honesty.md").read_text()


@pytest.mark.parametrize("word", WORDS)
def test_the_page_defines_every_word_as_reports_do(word):
    assert f"{word} | {WORDS[word]} |" in PAGE


@pytest.mark.parametrize("formula", FORMULAS.values())
def test_the_page_has_every_formula(formula):
    assert formula in PAGE


@pytest.mark.parametrize("word", [*Outcome, *Scale, *Inference, *PROPERTIES])
def test_every_outcome_scale_inference_and_breakable_property_is_on_the_page(word):
    assert word in PAGE
