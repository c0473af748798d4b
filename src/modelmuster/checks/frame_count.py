"""An audio model says how many frames it makes of a length; alignment and padding masks rely on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from modelmuster.checks.feeding import carriers
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Outputs, Trial
from modelmuster.records import Family, Finding, Modality

METHOD = "_get_feat_extract_output_lengths"
_FRAMES = ("encoder_last_hidden_state", "last_hidden_state", "logits")


class FrameCount(Question):
    """Compares the formula with the frames that come out, at two lengths."""

    name = "frame_count"
    question = "Are there as many output frames as the model's own formula says for the length of its input?"
    families = frozenset({Family.AUDIO})
    modalities = frozenset({Modality.AUDIO})
    needs = frozenset({Capability.MODULE, Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Models with such a formula that are fed one sound."""
        if _formula(trial.module) is None:
            return "the class has no formula for the number of its frames"
        return None if _sound(trial) else "fed more than one kind of sound"

    def run(self, trial: Trial) -> Finding:
        """Exact."""
        name, figures = _sound(trial), Figures()
        length = _length(trial, name)
        found = _frames(trial.baseline())
        expected = _expected(trial, length)
        figures |= {"length": length, "frames": found, "formula": expected}
        if found is None:
            return not_applicable("returns nothing with one entry for each frame")
        if found != expected:
            return failed(f"{found} frames of {length} steps, the model's own formula says {expected}", figures)
        return passed(figures)


def _formula(module: Any) -> Any:
    for _, part in [("", module), *module.named_modules()]:
        method = getattr(part, METHOD, None)
        if method is not None:
            return method
    return None


def _expected(trial: Trial, length: int) -> int:
    returned = _formula(trial.module)(torch.tensor([length]))
    # Some return the lengths after the convolutions and after the pooling.
    last = returned[-1] if isinstance(returned, tuple) else returned
    return int(last)


def _sound(trial: Trial) -> str:
    names = [name for name, modality in carriers(trial).items() if modality is Modality.AUDIO]
    return names[0] if len(names) == 1 else ""


def _length(trial: Trial, name: str) -> int:
    """The time axis is the one that a mask has too, or else the longest."""
    value, inputs = trial.inputs[name], trial.inputs
    for mask in ("attention_mask", "feature_attention_mask", "padding_mask"):
        if isinstance(inputs.get(mask), np.ndarray) and inputs[mask].shape[-1] in value.shape[1:]:
            return int(inputs[mask].shape[-1])
    return int(max(value.shape[1:]))


def _frames(outputs: Outputs) -> int | None:
    for name in _FRAMES:
        if name in outputs and outputs[name].array.ndim == 3:
            return int(outputs[name].array.shape[1])
    return None
