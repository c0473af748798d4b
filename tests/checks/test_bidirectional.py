"""An encoder with a causal mask is found."""

import dataclasses

import faults
import msgspec

import models
from modelmuster.checks.bidirectional import Bidirectional
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    assert Bidirectional().run(models.trial(models.bert())).outcome is Outcome.PASS


def test_an_encoder_that_only_looks_back_fails():
    def causal(name, args, kwargs):
        if name == "scaled_dot_product_attention":
            kwargs |= {"attn_mask": None, "is_causal": True}
        return args, kwargs

    finding = Bidirectional().run(faults.faulty(models.bert(), causal))
    assert finding.outcome is Outcome.FAIL
    assert "later tokens" in finding.message


def test_an_encoder_that_is_made_a_decoder_is_not_asked():
    subject = models.bert(is_decoder=True)
    recipe = msgspec.structs.replace(subject.recipe, config={**subject.recipe.config, "is_decoder": True})
    trial = models.trial(dataclasses.replace(subject, recipe=recipe))
    assert "is_decoder" in Bidirectional().applies(trial)
