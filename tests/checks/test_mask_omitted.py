"""A default mask that hides something is found."""

import hooks
import torch

import models
from modelmuster.checks.mask_omitted import MaskOmitted
from modelmuster.records import Outcome


def hiding(kwargs):
    if kwargs.get("attention_mask") is None:
        kwargs["attention_mask"] = torch.ones_like(kwargs["input_ids"])
        kwargs["attention_mask"][:, 0] = 0
    return kwargs


def test_a_healthy_model_passes():
    assert MaskOmitted().run(models.trial(models.llama())).outcome is Outcome.PASS


def test_a_default_that_hides_the_first_token_fails():
    finding = MaskOmitted().run(models.trial(hooks.before(models.llama(), hiding)))
    assert finding.outcome is Outcome.FAIL
    assert "without its attention_mask of ones" in finding.message


def test_a_model_that_is_fed_a_mask_that_hides_is_not_asked():
    assert MaskOmitted().applies(models.trial(models.bert()))
