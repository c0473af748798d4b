"""Boxes, masks and labels that do not belong together are found."""

import hooks
import pytest
import transformers

import models
from modelmuster.checks.prediction_counts import PredictionCounts
from modelmuster.records import Family, Modality, Outcome


def yolos():
    config = {**models.TOWER, "image_size": [32, 32], "patch_size": 16, "num_detection_tokens": 5}
    config |= {"use_mid_position_embeddings": False}
    module = models.built(transformers.YolosForObjectDetection, transformers.YolosConfig, **config)
    inputs, tasks = {"pixel_values": models.noise(2, 3, 32, 32)}, ("OBJECT_DETECTION",)
    return models.subject(
        module, inputs, family=Family.VISION, modalities=(Modality.IMAGE,), tasks=tasks, config=config
    )


def test_a_healthy_model_passes():
    trial = models.trial(yolos())
    assert PredictionCounts().applies(trial) is None
    assert PredictionCounts().run(trial).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda output: {"pred_boxes": output.pred_boxes[..., :3]}, "batch × queries × 4"),
        (lambda output: {"pred_boxes": output.pred_boxes[:, 1:]}, "4 boxes, but labels for 5"),
        (lambda output: {"pred_boxes": output.pred_boxes * 3}, "fractions of the image"),
        (lambda output: {"pred_boxes": output.pred_boxes[:, 1:], "logits": output.logits[:, 1:]}, "promises 5 queries"),
        (lambda output: {"pred_boxes": output.pred_boxes[:1], "logits": output.logits[:1]}, "1 rows of pred_boxes"),
    ],
)
def test_other_counts_fail(change, said):
    def spoil(kwargs, output):
        for name, value in change(output).items():
            setattr(output, name, value)

    finding = PredictionCounts().run(models.trial(hooks.after(yolos(), spoil)))
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message
