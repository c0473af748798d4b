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
