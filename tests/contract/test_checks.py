"""What `contracts.Check` promises, asked of every registered check."""

from __future__ import annotations

import pytest

import models
from modelmuster import plugins
from modelmuster.contracts import Capability, Check
from modelmuster.records import Family, Finding, Modality, Outcome, Trait

NAMES = plugins.checks().names()


@pytest.fixture(params=NAMES)
def check(request) -> Check:
    return plugins.checks().get(request.param)


def test_no_check_is_broken():
    assert {"forward", "reference"} <= set(NAMES)
    assert not plugins.checks().broken


def test_it_asks_one_question(check):
    assert check.question.endswith("?")
    assert check.question.count("?") == 1
    assert check.question[0].isupper()
    assert len(check.question) <= 140


def test_its_name_is_a_slug(check):
    assert check.name.replace("_", "").isalnum()
    assert check.name == check.name.lower()


def test_it_says_whom_it_asks(check):
    assert check.families is None or all(isinstance(family, Family) for family in check.families)
    assert all(isinstance(trait, Trait) for trait in check.traits)
    assert all(isinstance(modality, Modality) for modality in check.modalities)
    assert all(isinstance(capability, Capability) for capability in check.needs)


UPSTREAM = {("attention_implementation", "t5"): IndexError}
"""What a model of the library itself gets wrong: an expected error, whose reason is in the expectations."""


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "clip", "mixtral"])
def test_a_healthy_model_passes_or_is_told_why_it_is_not_asked(check, name):
    subject = getattr(models, name)()
    if check.families is not None and subject.architecture.family not in check.families:
        return
    if not check.traits <= set(subject.architecture.traits) or not check.modalities <= set(subject.recipe.modalities):
        return
    trial = models.trial(subject)
    reason = check.applies(trial)
    if reason is not None:
        assert reason
        return
    if (check.name, name) in UPSTREAM:
        with pytest.raises(UPSTREAM[check.name, name]):
            check.run(trial)
        return
    finding = check.run(trial)
    assert isinstance(finding, Finding)
    assert finding.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}, finding.message
    assert finding.message or finding.outcome is Outcome.PASS
    assert all(value is None or isinstance(value, bool | int | float | str) for value in finding.figures.values())
