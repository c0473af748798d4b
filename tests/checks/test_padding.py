"""An attention mask that is ignored, or read the wrong way round, is found on either side."""

import faults
import pytest

import models
from modelmuster.checks.padding import Padding
from modelmuster.records import Outcome


@pytest.mark.parametrize("name", ["bert", "llama", "mixtral"])
def test_a_healthy_model_passes(name):
    trial = models.trial(getattr(models, name)())
    assert Padding().applies(trial) is None
    assert Padding().run(trial).outcome is Outcome.PASS


def test_an_encoder_that_ignores_its_mask_fails():
    finding = Padding().run(faults.faulty(models.bert(), faults.dropped_mask))
    assert finding.outcome is Outcome.FAIL
    assert "under the mask on the right" in finding.message


def test_a_decoder_that_ignores_its_mask_fails_on_the_left():
    subject = models.llama()
    subject.module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {**kwargs, "attention_mask": None}), with_kwargs=True
    )
    finding = Padding().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "on the left" in finding.message


def test_a_model_without_a_mask_is_not_asked():
    subject = models.bert()
    subject = models.subject(subject.module, {"input_ids": models.ids()})
    assert "no attention mask" in Padding().applies(models.trial(subject))
    assert Padding().applies(models.trial(models.vit()))
