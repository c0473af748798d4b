"""Eager and fused attention that disagree are found, and the module keeps its own."""

import faults

import models
from modelmuster.checks.attention_implementation import AttentionImplementation
from modelmuster.checks.live import attention_implementation
from modelmuster.records import Outcome


def test_a_healthy_model_passes_and_keeps_its_attention():
    subject = models.llama()
    before = subject.module.config._attn_implementation
    assert AttentionImplementation().run(models.trial(subject)).outcome is Outcome.PASS
    assert subject.module.config._attn_implementation == before


def test_a_fault_in_the_fused_path_alone_fails():
    trial = models.trial(models.bert())
    trial.rounding()  # not under the fault
    with faults.Fault(faults.dropped_mask):
        finding = AttentionImplementation().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "eager and sdpa disagree" in finding.message


def test_the_setting_is_put_back_after_an_error():
    module = models.llama().module
    before = module.config._attn_implementation
    try:
        with attention_implementation(module, "eager"):
            raise KeyError
    except KeyError:
        pass
    assert module.config._attn_implementation == before


def test_a_mask_that_eager_attention_ignores_fails_on_padded_inputs(monkeypatch):
    from transformers.models.llama import modeling_llama

    eager = modeling_llama.eager_attention_forward

    def shown(module, query, key, value, mask, *args, **kwargs):
        length = query.shape[-2]
        ahead = query.new_full((length, length), -1e30).triu(1)[None, None]
        return eager(module, query, key, value, ahead, *args, **kwargs)

    monkeypatch.setattr(modeling_llama, "eager_attention_forward", shown)
    finding = AttentionImplementation().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "on padded inputs" in finding.message
