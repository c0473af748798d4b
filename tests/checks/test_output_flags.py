"""Answers that change when more is asked for are found."""

import hooks

import models
from modelmuster.checks.output_flags import OutputFlags
from modelmuster.records import Outcome


def larger(kwargs, output):
    if kwargs.get("output_attentions"):
        output.logits = output.logits * 1.01


def test_healthy_models_pass():
    for name in ("bert", "llama", "t5", "vit", "clip"):
        assert OutputFlags().run(models.trial(getattr(models, name)())).outcome is Outcome.PASS


def test_a_path_of_its_own_for_maps_fails():
    finding = OutputFlags().run(models.trial(hooks.after(models.llama(), larger)))
    assert finding.outcome is Outcome.FAIL
    assert "with output_attentions" in finding.message
