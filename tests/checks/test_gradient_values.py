"""Gradients that stop half-way are found, though every weight gets one."""

import pytest
import torch
from transformers.models.llama import modeling_llama

import models
from modelmuster.checks.gradient_values import GradientValues
from modelmuster.checks.gradients import Gradients
from modelmuster.records import Outcome


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "clip", "mixtral"])
def test_healthy_models_pass(name):
    trial = models.trial(getattr(models, name)())
    finding = GradientValues().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["off_by_scale"] < 1e-4


def test_a_detached_residual_fails_where_counting_gradients_does_not(monkeypatch):
    def forward(self, hidden_states, **kwargs):
        attended, _ = self.self_attn(hidden_states=self.input_layernorm(hidden_states), **kwargs)
        hidden_states = hidden_states.detach() + attended
        return hidden_states + self.mlp(self.post_attention_layernorm(hidden_states))

    monkeypatch.setattr(modeling_llama.LlamaDecoderLayer, "forward", forward)
    trial = models.trial(models.llama())
    assert Gradients().run(trial).outcome is Outcome.PASS
    finding = GradientValues().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "the gradients promise" in finding.message


def test_a_tensor_that_is_off_is_named(monkeypatch):
    mlp = modeling_llama.LlamaMLP
    monkeypatch.setattr(
        mlp, "forward", lambda self, x: self.down_proj(self.act_fn(self.gate_proj(x)).detach() * self.up_proj(x))
    )
    finding = GradientValues().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "model.layers." in finding.message


def test_the_weights_are_as_before():
    subject = models.bert()
    before = [parameter.detach().clone() for parameter in subject.module.parameters()]
    GradientValues().run(models.trial(subject))
    assert all(torch.equal(*pair) for pair in zip(before, subject.module.parameters(), strict=True))


def test_it_is_asked_in_float32_only():
    assert GradientValues().applies(models.trial(models.bert(), dtype="bfloat16")) is not None
