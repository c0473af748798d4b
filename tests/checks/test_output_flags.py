"""Answers that change when more is asked for are found."""

import hooks

import models
from modelmuster.checks.attention_maps import AttentionMaps
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


def test_asking_leaves_the_module_as_it_was():
    trial = models.trial(models.llama())
    OutputFlags().run(trial)
    assert not any(part._forward_hooks for part in trial.module.modules())


def refusing(kwargs):
    if kwargs.get("output_attentions"):
        raise ValueError("Cannot output attentions for these backbones")
    return kwargs


def test_a_class_that_refuses_maps_is_asked_for_hidden_states():
    finding = OutputFlags().run(models.trial(hooks.before(models.vit(), refusing)))
    assert finding.outcome is Outcome.PASS
    assert "refused" in finding.figures["output_attentions"]
    assert AttentionMaps().run(models.trial(hooks.before(models.vit(), refusing))).outcome is Outcome.NOT_APPLICABLE
