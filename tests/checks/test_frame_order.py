"""A video model that averages its frames away is found."""

import hooks
import transformers

import models
from modelmuster.checks.frame_order import FrameOrder
from modelmuster.records import Family, Modality, Outcome


def videomae():
    config = {**models.TOWER, "image_size": 32, "patch_size": 16, "num_frames": 4, "tubelet_size": 2}
    module = models.built(transformers.VideoMAEForVideoClassification, transformers.VideoMAEConfig, **config)
    inputs = {"pixel_values": models.noise(2, 4, 3, 32, 32)}
    return models.subject(module, inputs, family=Family.VIDEO, modalities=(Modality.VIDEO,), config=config)


def still(kwargs):
    kwargs["pixel_values"] = kwargs["pixel_values"].mean(1, keepdim=True).expand_as(kwargs["pixel_values"])
    return kwargs


def test_a_healthy_model_passes():
    trial = models.trial(videomae())
    assert FrameOrder().applies(trial) is None
    assert FrameOrder().run(trial).outcome is Outcome.PASS


def test_a_model_that_sees_a_still_fails():
    finding = FrameOrder().run(models.trial(hooks.before(videomae(), still)))
    assert finding.outcome is Outcome.FAIL
    assert "frames reversed" in finding.message
