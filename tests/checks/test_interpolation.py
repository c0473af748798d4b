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


def test_interpolation_that_mixes_rows_and_columns_fails(monkeypatch):
    subject = models.vit()
    module = subject.module.embeddings
    right = type(module).interpolate_pos_encoding

    def transposed(embeddings, height, width):
        if height == width:
            return right(module, embeddings, height, width)
        table = module.position_embeddings[:, 1:].reshape(1, 4, 4, -1).permute(0, 3, 2, 1)
        made = torch.nn.functional.interpolate(table, size=(8, 4), mode="bicubic").permute(0, 2, 3, 1)
        return torch.cat((module.position_embeddings[:, :1], made.reshape(1, 32, -1)), dim=1)

    trial = models.trial(subject)
    monkeypatch.setattr(module, "interpolate_pos_encoding", transposed)
    assert "mixes rows and columns" in Interpolation().run(trial).message
