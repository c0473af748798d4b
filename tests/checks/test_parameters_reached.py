"""Parts that were switched off or forgotten are found by their weights."""

import pytest
import torch
from transformers.models.vit import modeling_vit

import models
from modelmuster.checks.gradients import Gradients
from modelmuster.checks.parameters_reached import ParametersReached
from modelmuster.records import Modality, Outcome


@pytest.mark.parametrize("name", ["llama", "t5", "clip", "mixtral"])
def test_healthy_models_pass(name):
    finding = ParametersReached().run(models.trial(getattr(models, name)()))
    assert finding.outcome is Outcome.PASS, finding.message


def test_position_embeddings_that_are_not_added_fail(monkeypatch):
    def forward(self, pixel_values, **kwargs):
        embeddings = self.patch_embeddings(pixel_values)
        return torch.cat((self.cls_token.expand(len(embeddings), -1, -1), embeddings), dim=1)

    monkeypatch.setattr(modeling_vit.ViTEmbeddings, "forward", forward)
    trial = models.trial(models.vit())
    assert Gradients().run(trial).outcome is Outcome.PASS
    finding = ParametersReached().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "position_embeddings" in finding.message


def test_a_part_that_is_unused_by_design_is_counted_but_not_blamed():
    subject = models.vit()
    subject.module.mask_token = torch.nn.Parameter(torch.ones(1, 1, 32))
    finding = ParametersReached().run(models.trial(subject))
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["unused"] == 1


def test_it_is_asked_in_float32_only():
    assert ParametersReached().applies(models.trial(models.vit(), dtype="float16")) is not None


class Keeping(torch.nn.Module):
    """Keeps what it makes of a weight until it trains again, as LeViT keeps its biases."""

    def __init__(self):
        super().__init__()
        self.bias, self.kept = torch.nn.Parameter(torch.ones(3)), None

    def train(self, mode=True):
        self.kept = None if mode else self.kept
        return super().train(mode)

    def forward(self, pixel_values):
        if self.kept is None or self.training:
            self.kept = 2 * self.bias
        return {"logits": pixel_values.mean((2, 3)) * self.kept}


def test_what_a_part_keeps_of_its_weights_is_forgotten():
    inputs = {"pixel_values": models.noise(2, 3, 8, 8)}
    trial = models.trial(models.subject(Keeping(), inputs, modalities=(Modality.IMAGE,)))
    trial.baseline()
    finding = ParametersReached().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message
