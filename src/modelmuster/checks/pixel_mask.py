"""Images of different sizes are padded; what the pixel mask hides must not be seen."""

from __future__ import annotations

import numpy as np
import torch

from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Modality

IMAGE, MASK = "pixel_values", "pixel_mask"


class PixelMask(Question):
    """Hides the right half of every image, then changes what is hidden."""

    name = "pixel_mask"
    question = "Is the pixel mask read, and are the pixels under it without influence?"
    modalities = frozenset({Modality.IMAGE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that take a mask of height × width."""
        value = trial.inputs.get(IMAGE)
        if not accepts(trial, MASK) or not isinstance(value, np.ndarray) or value.ndim != 4:
            return f"takes no {MASK} beside a plain batch of images"
        return None

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule for the mask, twice the rule's tolerance for what it hides."""
        figures, inputs = Figures(), trial.inputs
        pixels = inputs[IMAGE]
        height, width = pixels.shape[-2:]
        mask = np.ones((len(pixels), height, width), np.int64)
        shown = main_outputs(outputs(trial, {**inputs, MASK: mask}))
        mask = mask.copy()
        mask[..., width // 2 :] = 0
        hidden = main_outputs(outputs(trial, {**inputs, MASK: mask}))
        change, most = influence(shown, hidden, trial.dtype)
        figures["mask_influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(
                f"hiding half of the image changes {most} by {change:.1e} only: the mask is not read", figures
            )
        if _mixes_neighbours(trial.module):
            # A convolution whose kernel overlaps its neighbours' reads padded pixels before any mask is applied.
            return passed(figures | {"hidden": "not asked: convolutions overlap"})
        other = pixels.copy()
        other[..., width // 2 :] = 0.5 - other[..., ::-1, width // 2 :]
        compared = same(trial, hidden, main_outputs(outputs(trial, {**inputs, IMAGE: other, MASK: mask})))
        figures["hidden.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"other pixels under the mask: {off(compared)}", figures)
        return passed(figures)


def _mixes_neighbours(module: torch.nn.Module) -> bool:
    return any(
        isinstance(part, torch.nn.Conv2d) and any(k > s for k, s in zip(part.kernel_size, part.stride, strict=True))
        for part in module.modules()
    )
