"""A decoder that peeks, is deaf to its encoder, or sees its padding is found."""

import faults

import models
from modelmuster.checks.encoder_decoder import EncoderDecoder
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    trial = models.trial(models.t5())
    assert EncoderDecoder().applies(trial) is None
    finding = EncoderDecoder().run(trial)
    assert finding.outcome is Outcome.PASS
    assert finding.figures["encoder_influence"] > 0.1


def _t5_mask(only):
    """T5 adds its mask to the position bias: forget it where the queries are of this length."""

    def change(name, args, kwargs):
        if name == "scaled_dot_product_attention" and args[0].shape[-2] == only:
            kwargs |= {"attn_mask": None, "is_causal": False}
        return args, kwargs

    return change


def test_a_decoder_that_peeks_fails():
    finding = EncoderDecoder().run(faults.faulty(models.t5(), _t5_mask(7)))
    assert finding.outcome is Outcome.FAIL


def test_an_encoder_whose_padding_is_seen_fails():
    finding = EncoderDecoder().run(faults.faulty(models.t5(), _t5_mask(12)))
    assert finding.outcome is Outcome.FAIL
    assert "under the encoder's mask" in finding.message


def test_a_decoder_that_is_deaf_to_its_encoder_fails():
    subject = models.t5()
    for block in subject.module.decoder.block:
        block.layer[1].register_forward_hook(lambda module, args, output: (args[0], *output[1:]))
    finding = EncoderDecoder().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "another input_ids for the encoder" in finding.message
