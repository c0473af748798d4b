"""Models that are asked through a session, called with tensors like all others."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.models.omdet_turbo.modeling_omdet_turbo import OmDetTurboLRUCache

import models
from modelmuster import catalog
from modelmuster.numerics.tensors import to_torch
from modelmuster.recipes import prepare, sessions


@pytest.fixture(scope="module")
def tracker():
    architecture = catalog.load().get("sam3_tracker_video")
    return prepare(architecture, architecture.default_class)


def masks(subject, **changed):
    inputs = to_torch(subject.inputs, torch.float32) | changed
    with torch.no_grad():
        return subject.module(**inputs).pred_masks


def test_a_call_leaves_nothing_for_the_next(tracker):
    assert torch.equal(masks(tracker), masks(tracker))


def test_the_objects_take_the_place_of_rows(tracker):
    assert len(masks(tracker)) == len(tracker.inputs[sessions.POINTS]) == 2


@pytest.mark.parametrize("frame", [0, 1])
def test_every_frame_counts_the_first_through_the_memory(tracker, frame):
    video = torch.from_numpy(tracker.inputs[sessions.VIDEO].copy())
    video[frame] += 1
    assert not torch.allclose(masks(tracker), masks(tracker, **{sessions.VIDEO: video}))


def test_the_prompts_count(tracker):
    moved = torch.from_numpy(tracker.inputs[sessions.POINTS]) / 2
    assert not torch.allclose(masks(tracker), masks(tracker, **{sessions.POINTS: moved}))


def test_a_session_of_ones_own_is_passed_on(tracker):
    own = sessions.session_class(tracker.module)(dtype=torch.float32)
    with pytest.raises(ValueError, match="No objects are provided"):
        tracker.module(inference_session=own, frame=torch.zeros(1, 3, 56, 56))


def test_other_models_are_left_as_they_are():
    module = models.bert().module
    sessions.attach(module)
    assert not module._forward_pre_hooks


class Remembering(nn.Module):
    """Keeps what it made of a text, as OmDet-Turbo does."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.kept = OmDetTurboLRUCache(4)

    def forward(self, ids):
        if not self.kept.has("text"):
            self.kept.put("text", self.linear(ids))
        return self.kept.get("text")


def test_a_model_that_keeps_answers_forgets_them_before_each_call():
    module = Remembering()
    sessions.attach(module)
    before = module(torch.ones(1, 2))
    with torch.no_grad():
        module.linear.bias += 1
    assert not torch.equal(module(torch.ones(1, 2)), before)
