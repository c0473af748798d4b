"""Kinds of input that a model cannot tell apart in one call: found by asking it, whatever its name."""

from __future__ import annotations

import torch

from modelmuster.recipes.inputs.callee import parameters_of
from modelmuster.recipes.inputs.sizes import PLACEHOLDERS, Sizes
from modelmuster.records import Modality

SAME_TOKEN = "Its code marks images and videos with the same token, so that a call can hold only one of them."  # noqa: S105


def apart(module: torch.nn.Module) -> dict[Modality, str]:
    """Modalities that the model refuses in one call with the others, each with the reason.

    A model that takes the token of an image for the place of a video too holds the vectors of both against the tokens
    of both.
    """
    token = Sizes(module).token(PLACEHOLDERS[Modality.IMAGE])
    for part in module.modules():
        compare = getattr(part, "get_placeholder_mask", None)
        if token is None or compare is None:
            continue
        if {"image_features", "video_features"} <= parameters_of(compare).keys():
            of_images, of_videos, *_ = compare(torch.tensor([[token]]), inputs_embeds=torch.zeros(1, 1, 1))
            if of_images.any() and of_videos.any():
                return {Modality.VIDEO: SAME_TOKEN}
    return {}
