"""An encoder with a causal mask is found."""

import faults

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
