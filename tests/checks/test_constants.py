"""Tables that are not trained and that nobody reads are found."""

import torch
import transformers
from transformers.models.llama import modeling_llama

import models
from modelmuster.checks.constants import Constants
from modelmuster.records import Family, Modality, Outcome


def resnet():
    config = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}
    return models.subject(
        models.built(transformers.ResNetModel, transformers.ResNetConfig, **config),
        {"pixel_values": models.noise(2, 3, 32, 32)},
        family=Family.VISION,
        modalities=(Modality.IMAGE,),
        config=config,
    )


def test_healthy_models_pass_and_are_as_before():
    for subject in (models.llama(), resnet()):
        trial = models.trial(subject)
        before = {name: value.clone() for name, value in trial.module.named_buffers()}
        finding = Constants().run(trial)
        assert finding.outcome is Outcome.PASS, finding.message
        assert all(torch.equal(value, before[name]) for name, value in trial.module.named_buffers())


def test_statistics_of_the_batch_instead_of_the_running_ones_fail(monkeypatch):
    def forward(self, hidden):
        return torch.nn.functional.batch_norm(hidden, None, None, self.weight, self.bias, training=True)

    monkeypatch.setattr(torch.nn.BatchNorm2d, "forward", forward)
    finding = Constants().run(models.trial(resnet()))
    assert finding.outcome is Outcome.FAIL
    assert "running_mean" in finding.message


def test_rotary_frequencies_that_are_not_applied_fail(monkeypatch):
    monkeypatch.setattr(modeling_llama, "apply_rotary_pos_emb", lambda q, k, *_args, **_kwargs: (q, k))
    assert "inv_freq" in Constants().run(models.trial(models.llama())).message


def test_a_model_without_such_tables_is_not_asked():
    module = torch.nn.Linear(4, 4)
    subject = models.subject(module, {"input": models.noise(2, 4)}, modalities=(Modality.EMBEDDING,))
    assert Constants().applies(models.trial(subject))
