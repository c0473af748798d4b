"""A pixel mask that is dropped, or read too late, is found."""

import numpy as np
import pytest
import torch

import models
from modelmuster.checks.pixel_mask import PixelMask
from modelmuster.records import Modality, Outcome


class Seeing(torch.nn.Module):
    """Answers with the mean of the pixels that it sees."""

    def __init__(self, masking):
        super().__init__()
        self.masking = masking
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, pixel_values, pixel_mask=None):
        weights = torch.ones_like(pixel_values) if pixel_mask is None else self.masking(pixel_mask)[:, None]
        return (pixel_values * weights).mean((2, 3)) * self.scale


def ask(masking):
    inputs = {"pixel_values": models.noise(2, 3, 8, 8)}
    trial = models.trial(models.subject(Seeing(masking), inputs, modalities=(Modality.IMAGE,)))
    assert PixelMask().applies(trial) is None
    return PixelMask().run(trial)


def test_a_mask_that_is_read_passes():
    assert ask(lambda mask: mask).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("masking", "said"),
    [(torch.ones_like, "not read"), (lambda mask: 0.5 + 0.5 * mask, "other pixels under the mask")],
)
def test_a_mask_that_is_not_read_or_leaks_fails(masking, said):
    finding = ask(masking)
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message


def test_a_model_without_a_mask_is_not_asked():
    assert PixelMask().applies(models.trial(models.vit()))
    assert np.ndim(models.vit().inputs["pixel_values"]) == 4
