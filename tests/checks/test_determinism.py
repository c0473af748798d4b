"""Dropout that stayed on is found; noise by design is told apart from it."""

import torch

import models
from modelmuster.checks.determinism import Determinism
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    assert Determinism().run(models.trial(models.bert())).outcome is Outcome.PASS


def test_dropout_in_eval_mode_fails():
    subject = models.bert()
    subject.module.encoder.layer[1].output.dropout.train()
    finding = Determinism().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "dropout is active in eval mode" in finding.message


def test_attention_dropout_in_eval_mode_fails():
    class Attending(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.5)

    finding = Determinism().run(models.trial(models.subject(Attending(), {"x": models.noise(2, 4, 6, 8)})))
    assert finding.outcome is Outcome.FAIL


def test_noise_by_design_is_not_asked():
    class Masking(torch.nn.Module):
        def forward(self, x):
            return x[:, torch.rand(x.shape[1]).argsort()[:4]]

    finding = Determinism().run(models.trial(models.subject(Masking(), {"x": models.noise(2, 40)})))
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "rand" in finding.message


def test_a_model_that_remembers_its_last_call_fails():
    class Remembering(torch.nn.Module):
        last = 0.0

        def forward(self, x):
            self.last = x.mean() + self.last
            return x + self.last

    finding = Determinism().run(models.trial(models.subject(Remembering(), {"x": models.noise(2, 4)})))
    assert "same seed" in finding.message
