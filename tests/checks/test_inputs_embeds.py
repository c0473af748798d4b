"""Embeddings that take another way than ids are found."""

import hooks

import models
from modelmuster.checks.inputs_embeds import InputsEmbeds
from modelmuster.records import Outcome


def scaled(kwargs):
    if "inputs_embeds" in kwargs:
        kwargs["inputs_embeds"] = kwargs["inputs_embeds"] * 1.5
    return kwargs


def test_healthy_models_pass():
    for name in ("bert", "llama", "t5"):
        trial = models.trial(getattr(models, name)())
        assert InputsEmbeds().applies(trial) is None
        assert InputsEmbeds().run(trial).outcome is Outcome.PASS


def test_embeddings_that_are_scaled_twice_fail():
    finding = InputsEmbeds().run(models.trial(hooks.before(models.llama(), scaled)))
    assert finding.outcome is Outcome.FAIL
    assert "embeddings instead of ids" in finding.message
