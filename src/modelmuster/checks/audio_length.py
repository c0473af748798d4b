"""Sounds of different lengths are padded; what the mask hides must not be heard."""

from __future__ import annotations

import numpy as np
import torch

from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.feeding import carriers
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.records import Finding, Modality

MASKS = ("attention_mask", "feature_attention_mask", "input_features_mask", "padding_mask", "audio_attention_mask")


_OVER_TIME = (torch.nn.GroupNorm, torch.nn.InstanceNorm1d)


class AudioLength(Question):
    """Hides the last half of every sound, then changes what is hidden."""

    name = "audio_length"
    question = "Is the mask of a sound read, and is what it hides without influence?"
    modalities = frozenset({Modality.AUDIO})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed a mask over the time of their sound, and that do not normalise over all of it."""
        if not _masked(trial):
            return "fed no mask over the time of a sound"
        if any(isinstance(part, _OVER_TIME) for part in trial.module.modules()):
            return "normalises over the whole length of a sound, padding included, before any mask is applied"
        return None

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule for the mask, twice the rule's tolerance for what it hides."""
        figures, inputs = Figures(), trial.inputs
        found = _masked(trial)
        assert found is not None
        sound, mask_name, axis = found
        mask = inputs[mask_name].copy()
        half = mask.shape[-1] // 2
        mask[:, half:] = 0
        try:
            shown, hidden = trial.baseline(), trial.run({**inputs, mask_name: mask})
        except ValueError as refusal:
            if "input_ids" not in inputs:
                raise
            return not_applicable(f"the mask decides how many placeholders the text must have: {refusal}")
        change, most = influence(main_outputs(shown), main_outputs(hidden), trial.dtype)
        figures["mask_influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(
                f"hiding half of the sound changes {most} by {change:.1e} only: the mask is not read", figures
            )
        other = np.moveaxis(inputs[sound].copy(), axis, -1)
        # Convolutions read across the border of the mask, so only what lies well behind it is changed.
        deep = half + (mask.shape[-1] - half) // 2
        other[..., deep:] = 0.5 - other[..., deep:][..., ::-1]
        changed = trial.run({**inputs, sound: np.moveaxis(other, -1, axis).copy(), mask_name: mask})
        compared = same(trial, _early(trial, hidden), _early(trial, changed))
        figures["hidden.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"another sound under the mask: {off(compared)}", figures)
        return passed(figures)


def _masked(trial: Trial) -> tuple[str, str, int] | None:
    """A sound, its mask and the axis of its time."""
    inputs = trial.inputs
    sounds = [name for name, modality in carriers(trial).items() if modality is Modality.AUDIO]
    for sound in sounds:
        for mask in MASKS:
            value = inputs.get(mask)
            if not isinstance(value, np.ndarray) or not isinstance(inputs[sound], np.ndarray) or value.ndim != 2:
                continue
            axes = [axis for axis, size in enumerate(inputs[sound].shape) if axis and size == value.shape[-1]]
            if axes and (value == 1).all():
                return sound, mask, axes[0]
    return None


def _early(trial: Trial, outputs: Outputs) -> dict[str, Output]:
    """Outputs of a decoder as they are; of the frames of an encoder the first quarter, well before the mask begins."""
    found = {}
    for name, output in main_outputs(outputs).items():
        frames = output.array.ndim == 3 and "decoder_input_ids" not in trial.inputs and "input_ids" not in trial.inputs
        # Time is the longer axis: frames × width, or one channel × samples.
        axis = int(np.argmax(output.array.shape[1:])) + 1 if output.array.shape[1:2] == (1,) else 1
        quarter = max(output.array.shape[axis] // 4, 1) if frames else 0
        found[name] = Output(np.moveaxis(output.array, axis, 1)[:, :quarter], output.dtype) if frames else output
    return found
