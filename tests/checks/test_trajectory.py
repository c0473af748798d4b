"""A policy that sees the action that it predicts is found."""

import numpy as np
import pytest
import torch
import transformers

import models
from modelmuster.checks.trajectory import Trajectory
from modelmuster.records import Modality, Outcome


def policy():
    config = {"state_dim": 5, "act_dim": 3, "hidden_size": 16, "n_layer": 2, "n_head": 2, "max_ep_len": 32}
    inputs = {
        "states": models.noise(2, 8, 5),
        "actions": models.noise(2, 8, 3),
        "returns_to_go": models.noise(2, 8, 1),
        "timesteps": np.arange(16).reshape(2, 8),
    }
    module = models.built(transformers.DecisionTransformerModel, transformers.DecisionTransformerConfig, **config)
    return models.subject(module, inputs, modalities=(Modality.TABULAR,), config=config)


def test_a_healthy_policy_passes():
    trial = models.trial(policy())
    assert Trajectory().applies(trial) is None
    finding = Trajectory().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda given: given["actions"], "reach their own prediction"),
        (lambda given: given["states"].roll(-1, 1)[..., :3], "reach back"),
        (lambda given: 0 * given["actions"], "own state"),
    ],
)
def test_predictions_from_what_they_may_not_see_fail(read, said):
    subject = policy()

    def hook(module, args, kwargs, output):
        output.action_preds = read(kwargs) + torch.ones(3)

    subject.module.register_forward_hook(hook, with_kwargs=True)
    finding = Trajectory().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message


def test_a_text_is_not_asked():
    assert Trajectory().applies(models.trial(models.bert()))
