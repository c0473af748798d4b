"""Arithmetic that is worse than its dtype must be is found."""

import torch

import models
from modelmuster.checks.low_precision import LowPrecision
from modelmuster.records import Outcome, Trait


class Narrowing(torch.nn.Module):
    """In float16, keeps only the digits that bfloat16 has."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(32, 32)

    def forward(self, x):
        made = self.inner(x)
        return made.view(torch.int16).bitwise_and(-64).view(torch.float16) if made.dtype is torch.float16 else made


def test_healthy_models_pass():
    for name in ("bert", "t5"):
        finding = LowPrecision().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS, finding.message
        assert finding.figures["float16.verdict"] == finding.figures["bfloat16.verdict"] == "pass"


def test_a_model_that_wastes_digits_in_float16_fails(monkeypatch):
    trial = models.trial(models.subject(Narrowing(), {"x": models.noise(8, 32)}))
    assert LowPrecision().run(trial).outcome is Outcome.PASS  # the estimate runs the same code
    monkeypatch.setattr("modelmuster.checks.low_precision.estimate", lambda *args, **kwargs: {"output": 0.0})
    finding = LowPrecision().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "in float16" in finding.message


def test_other_dtypes_and_routers_are_not_asked():
    assert "own dtype" in LowPrecision().applies(models.trial(models.bert(), dtype="bfloat16"))
    subject = models.mixtral()
    assert Trait.MIXTURE_OF_EXPERTS in subject.architecture.traits
    assert "another expert" in LowPrecision().applies(models.trial(subject))


class Choosing(torch.nn.Module):
    """Answers with the numbers of its best proposals, which differ by less than a step of float16."""

    def forward(self, x):
        scores = 1 + 1e-5 * x[:, 0]
        return x[scores.topk(3).indices]


def test_proposals_that_rounding_chooses_are_no_failure(monkeypatch):
    monkeypatch.setattr("modelmuster.checks.low_precision.estimate", lambda *args, **kwargs: {"output": 0.0})
    finding = LowPrecision().run(models.trial(models.subject(Choosing(), {"x": models.noise(32, 8)})))
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "rounding chose other proposals" in finding.message
