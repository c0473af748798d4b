"""A gradient that points elsewhere, or promises too much, is found; the model is given back as it was."""

import torch

import models
from modelmuster.checks.training_step import TrainingStep
from modelmuster.records import Outcome


class Boasting(torch.autograd.Function):
    """The identity, with a gradient that is turned round."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class Hooked(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(8, 8)

    def forward(self, x):
        return Boasting.apply(self.inner(x))


def test_healthy_models_pass_and_keep_their_weights():
    for name in ("bert", "llama", "t5", "clip"):
        subject = getattr(models, name)()
        before = {key: value.clone() for key, value in subject.module.state_dict().items()}
        finding = TrainingStep().run(models.trial(subject))
        assert finding.outcome is Outcome.PASS, finding.message
        assert finding.figures["loss_after"] < finding.figures["loss"]
        assert all(torch.equal(value, before[key]) for key, value in subject.module.state_dict().items())


def test_a_gradient_that_points_uphill_fails():
    finding = TrainingStep().run(models.trial(models.subject(Hooked(), {"x": models.noise(4, 8)})))
    assert finding.outcome is Outcome.FAIL
    assert "times that" in finding.message
