"""The logits of other tokens than the last are found."""

import hooks

import models
from modelmuster.checks.logits_to_keep import LogitsToKeep
from modelmuster.records import Outcome


def backwards(kwargs, output):
    if kwargs.get("logits_to_keep"):
        output.logits = output.logits.flip(1)


def test_a_healthy_model_passes():
    assert LogitsToKeep().run(models.trial(models.llama())).outcome is Outcome.PASS


def test_other_tokens_fail():
    finding = LogitsToKeep().run(models.trial(hooks.after(models.llama(), backwards)))
    assert finding.outcome is Outcome.FAIL
    assert "asked for the last 3" in finding.message
