"""Masks that are taken from another row are found."""

import pytest
import torch

import models
from modelmuster.checks.masks_by_row import MasksByRow
from modelmuster.checks.padding import Padding
from modelmuster.records import Modality, Outcome


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_healthy_models_pass(name):
    trial = models.trial(getattr(models, name)())
    assert MasksByRow().applies(trial) is None
    assert MasksByRow().run(trial).outcome is Outcome.PASS


def test_the_first_rows_mask_for_all_fails_where_equal_masks_do_not():
    subject = models.bert()

    def first_for_all(module, args, kwargs):
        mask = kwargs["attention_mask"]
        return args, {**kwargs, "attention_mask": mask[:1].expand_as(mask)}

    subject.module.register_forward_pre_hook(first_for_all, with_kwargs=True)
    trial = models.trial(subject)
    assert Padding().run(trial).outcome is Outcome.PASS
    finding = MasksByRow().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "with its own mask" in finding.message


def test_a_model_without_masks_is_not_asked():
    assert "no mask" in MasksByRow().applies(models.trial(models.vit()))


class Seeing(torch.nn.Module):
    """Answers with the mean of the pixels that its masks show it."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, pixel_values, pixel_mask=None):
        shown = torch.ones_like(pixel_values[:, 0]) if pixel_mask is None else self.rows(pixel_mask)
        return {"logits": (pixel_values * shown[:, None]).mean((2, 3)) * self.scale}


@pytest.mark.parametrize(
    ("rows", "outcome"), [(lambda mask: mask, Outcome.PASS), (lambda mask: mask[:1].expand_as(mask), Outcome.FAIL)]
)
def test_a_mask_of_pixels_that_is_not_fed_is_asked_for_too(rows, outcome):
    inputs = {"pixel_values": models.noise(2, 3, 8, 8)}
    trial = models.trial(models.subject(Seeing(rows), inputs, modalities=(Modality.IMAGE,)))
    assert MasksByRow().applies(trial) is None
    assert MasksByRow().run(trial).outcome is outcome
