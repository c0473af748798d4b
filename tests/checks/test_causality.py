"""The future must not leak, and must not be cut off either."""

import faults
import torch

import models
from modelmuster.checks.causality import Causality
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    finding = Causality().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.PASS
    assert finding.figures["later_influence"] > 0.1


def test_attention_to_everything_fails():
    finding = Causality().run(faults.faulty(models.llama(), faults.dropped_mask))
    assert finding.outcome is Outcome.FAIL
    assert "the future leaks into the past" in finding.message


def test_a_mask_that_is_off_by_one_fails():
    def peeking(name, args, kwargs):
        if name == "scaled_dot_product_attention":
            length = args[0].shape[-2]
            kwargs |= {"attn_mask": torch.ones(length, length, dtype=torch.bool).tril(1), "is_causal": False}
        return args, kwargs

    assert Causality().run(faults.faulty(models.llama(), peeking)).outcome is Outcome.FAIL


def test_a_model_that_reads_nothing_fails():
    subject = models.llama()
    subject.module.model.embed_tokens.register_forward_hook(lambda module, args, output: torch.ones_like(output))
    assert "change nothing" in Causality().run(models.trial(subject)).message
