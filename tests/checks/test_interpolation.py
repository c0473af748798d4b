"""Interpolation that moves the positions of an image of the usual size is found."""

import hooks
import torch

import models
from modelmuster.checks.interpolation import Interpolation
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    trial = models.trial(models.vit())
    assert Interpolation().applies(trial) is None
    assert Interpolation().run(trial).outcome is Outcome.PASS


def test_interpolation_to_its_own_size_that_moves_positions_fails(monkeypatch):
    subject = models.vit()
    embeddings = subject.module.embeddings
    monkeypatch.setattr(
        embeddings, "interpolate_pos_encoding", lambda *args: embeddings.position_embeddings.roll(1, dims=1)
    )
    finding = Interpolation().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "interpolated to its own size" in finding.message


def test_values_that_are_not_finite_at_another_size_fail():
    def overflow(kwargs, output):
        if output.last_hidden_state.shape[1] > 17:
            output.last_hidden_state = output.last_hidden_state * torch.inf

    finding = Interpolation().run(models.trial(hooks.after(models.vit(), overflow)))
    assert "not finite" in finding.message


def test_a_model_without_the_flag_is_not_asked():
    assert Interpolation().applies(models.trial(models.bert()))
