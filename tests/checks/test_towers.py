"""A tower that makes something else when it is called alone, and tables that do not match, are found."""

import hooks
import torch
from transformers.models.clip import modeling_clip

import models
from modelmuster.checks.towers import Towers
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    finding = Towers().run(models.trial(models.clip()))
    assert finding.outcome is Outcome.PASS, finding.message
    assert set(finding.figures) == {
        "text.relative_rmse",
        "image.relative_rmse",
        "logits_per_image.relative_rmse",
        "cosines.off",
        "text_causality.relative_rmse",
    }


def test_a_tower_that_differs_alone_fails(monkeypatch):
    subject = models.clip()
    trial = models.trial(subject)
    trial.rounding()  # not under the fault
    features = subject.module.get_text_features

    def alone(input_ids, **kwargs):
        return features(input_ids=input_ids if "position_ids" in kwargs else input_ids.flip(1), **kwargs)

    monkeypatch.setattr(subject.module, "get_text_features", alone)
    assert "the text tower alone" in Towers().run(trial).message


def test_tables_that_are_not_transposed_fail():
    def straight(kwargs, output):
        output.logits_per_image = output.logits_per_text

    finding = Towers().run(models.trial(hooks.after(models.clip(), straight)))
    assert finding.outcome is Outcome.FAIL
    assert "the other way round" in finding.message


def test_embeddings_that_are_not_normalised_fail():
    def stretch(kwargs, output):
        factors = torch.tensor([[1.0], [3.0]])
        output.image_embeds = output.image_embeds * factors
        output.logits_per_text = output.logits_per_text * factors.T
        output.logits_per_image = output.logits_per_image * factors

    finding = Towers().run(models.trial(hooks.after(models.clip(), stretch)))
    assert "does not follow from the angles" in finding.message


def test_a_text_tower_that_looks_ahead_fails(monkeypatch):
    attention = modeling_clip.CLIPAttention.forward

    def forward(self, hidden_states, attention_mask=None, **kwargs):
        return attention(self, hidden_states, attention_mask=None, **{**kwargs, "is_causal": False})

    monkeypatch.setattr(modeling_clip.CLIPAttention, "forward", forward)
    finding = Towers().run(models.trial(models.clip()))
    assert "reach back in the causal text tower" in finding.message
