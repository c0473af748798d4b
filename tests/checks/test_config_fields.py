"""Fields of a configuration that nobody reads any more are found."""

import pytest
import torch
from transformers.models.bert import modeling_bert
from transformers.models.llama import modeling_llama

import models
from modelmuster.checks.config_fields import ConfigFields
from modelmuster.records import Outcome


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "clip", "mixtral"])
def test_healthy_models_pass(name):
    trial = models.trial(getattr(models, name)())
    assert ConfigFields().applies(trial) is None
    finding = ConfigFields().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message


def test_a_hard_coded_activation_fails(monkeypatch):
    def forward(self, hidden_states):
        return torch.nn.functional.gelu(self.dense(hidden_states))

    monkeypatch.setattr(modeling_bert.BertIntermediate, "forward", forward)
    finding = ConfigFields().run(models.trial(models.bert()))
    assert finding.outcome is Outcome.FAIL
    assert finding.message == "of no effect: hidden_act"


def test_a_hard_coded_epsilon_fails(monkeypatch):
    def forward(self, hidden_states):
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        return self.weight * hidden_states * torch.rsqrt(variance + 1e-6)

    monkeypatch.setattr(modeling_llama.LlamaRMSNorm, "forward", forward)
    finding = ConfigFields().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "rms_norm_eps" in finding.message
