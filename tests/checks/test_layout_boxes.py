"""An edge of a box that is not read is found."""

import numpy as np
import torch
import transformers

import models
from modelmuster.checks.layout_boxes import LayoutBoxes
from modelmuster.records import Modality, Outcome


def layoutlm():
    config = {**models.TEXT, "max_2d_position_embeddings": 64}
    module = models.built(transformers.LayoutLMModel, transformers.LayoutLMConfig, **config)
    corners = np.random.default_rng(0).integers(0, 30, (2, 12, 2))
    boxes = np.concatenate([corners, corners + 9], -1)
    inputs = {"input_ids": models.ids(), "bbox": boxes}
    return models.subject(module, inputs, modalities=(Modality.TEXT, Modality.LAYOUT), config=config)


def test_a_healthy_model_passes():
    finding = LayoutBoxes().run(models.trial(layoutlm()))
    assert finding.outcome is Outcome.PASS, finding.message
    assert len(finding.figures) == 4


def test_an_edge_that_is_not_read_fails():
    subject = layoutlm()

    def forget(module, args, kwargs):
        kwargs["bbox"] = torch.cat([kwargs["bbox"][..., :3], kwargs["bbox"][..., 1:2] + 9], -1)
        return args, kwargs

    subject.module.register_forward_pre_hook(forget, with_kwargs=True)
    assert "the bottom edge" in LayoutBoxes().run(models.trial(subject)).message
