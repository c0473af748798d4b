"""Decoders beside an encoder that lose count, or their encoder, on top of a cache are found."""

import torch
from transformers.models.t5 import modeling_t5

import models
from modelmuster.checks.decoder_cache import DecoderCache
from modelmuster.checks.encoder_decoder import EncoderDecoder
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    trial = models.trial(models.t5())
    assert DecoderCache().applies(trial) is None
    finding = DecoderCache().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message


def test_positions_that_restart_on_a_cache_fail(monkeypatch):
    bias = modeling_t5.T5Attention.compute_bias
    monkeypatch.setattr(
        modeling_t5.T5Attention,
        "compute_bias",
        lambda self, query, key, device=None, past_seen_tokens=0: bias(self, query, key, device=device),
    )
    trial = models.trial(models.t5())
    assert EncoderDecoder().run(trial).outcome is Outcome.PASS
    finding = DecoderCache().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "on top of the cache" in finding.message


def test_an_encoder_that_is_forgotten_after_the_first_piece_fails():
    subject = models.t5()

    def forget(module, args, kwargs):
        if kwargs.get("past_key_values") is None or kwargs["past_key_values"].get_seq_length() == 0:
            return args, kwargs
        cross = kwargs["past_key_values"].cross_attention_cache
        cross.layers[0].values = torch.zeros_like(cross.layers[0].values)
        return args, kwargs

    subject.module.decoder.register_forward_pre_hook(forget, with_kwargs=True)
    assert DecoderCache().run(models.trial(subject)).outcome is Outcome.FAIL


def test_a_decoder_alone_is_not_asked():
    assert DecoderCache().applies(models.trial(models.llama())) == "fed no decoder tokens"
