"""Sounds of different lengths are padded; what the mask hides must not be heard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.feeding import carriers
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.live import accepts, arguments, attention_implementation, call, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Inputs, Output, Outputs, Trial
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding, Modality

MASKS = ("attention_mask", "feature_attention_mask", "input_features_mask", "padding_mask", "audio_attention_mask")


_OVER_TIME = (torch.nn.GroupNorm, torch.nn.InstanceNorm1d)


_COUNTED = re.compile("mask|token|placeholder")
"""What a model speaks of that finds fewer features behind the mask than the text has places for."""

ENTRY = "feature_extractor"
"""What the part is called that reads a sound before any mask is applied."""


class AudioLength(Question):
    """Hides the last half of every sound, then changes what is hidden."""

    name = "audio_length"
    question = "Is the mask of a sound read, and is what it hides without influence?"
    modalities = frozenset({Modality.AUDIO})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed a mask over the time of their sound, and normalise over all of it at their entry only."""
        if not masked_sound(trial):
            return "fed no mask over the time of a sound"
        if any(ENTRY not in name for name in _over_time(trial.module)):
            return "normalises over the whole length of a sound, padding included, deep inside"
        return None

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule for the mask, twice its tolerance for what it hides, no weight there."""
        figures, inputs = Figures(), trial.inputs
        found = masked_sound(trial)
        assert found is not None
        sound, mask_name, axis = found
        mask = inputs[mask_name].copy()
        half = mask.shape[-1] // 2
        mask[:, half:] = 0
        try:
            shown, hidden = trial.baseline(), trial.run({**inputs, mask_name: mask})
        except (ValueError, RuntimeError) as refusal:
            if "input_ids" not in inputs or not _COUNTED.search(str(refusal)):
                raise
            return not_applicable(f"the mask decides how many placeholders the text must have: {refusal}")
        change, most = influence(main_outputs(shown), main_outputs(hidden), trial.dtype)
        figures["mask_influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(
                f"hiding half of the sound changes {most} by {change:.1e} only: the mask is not read", figures
            )
        # Convolutions read across the border of the mask, so only what lies well behind it is changed.
        deep = 0.75
        norms = list(_over_time(trial.module).values())
        if norms:
            # They average over the whole length, padding included, before any mask is applied: by contract. What lies
            # behind them must keep to the mask all the same.
            figures["changed_behind"] = f"{len(norms)} normalisations over time"
            with _other_after(norms, deep):
                changed = outputs(trial, {**inputs, mask_name: mask})
        else:
            other = np.moveaxis(inputs[sound].copy(), axis, -1)
            start = int(deep * mask.shape[-1])
            other[..., start:] = 0.5 - other[..., start:][..., ::-1]
            changed = trial.run({**inputs, sound: np.moveaxis(other, -1, axis).copy(), mask_name: mask})
        compared = same(trial, _early(trial, hidden), _early(trial, changed))
        figures["hidden.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"another sound under the mask: {off(compared)}", figures)
        given = {**inputs, mask_name: mask}
        wrong = _attended(trial, found, given, half, figures) or _pooled(trial, found, given, half, figures)
        return failed(wrong, figures) if wrong else passed(figures)


def _over_time(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    return {name: part for name, part in module.named_modules() if isinstance(part, _OVER_TIME)}


@contextmanager
def _other_after(norms: list[torch.nn.Module], deep: float) -> Iterator[None]:
    """What these layers return is turned round beyond this share of the time, their last axis."""

    def turned(_part: torch.nn.Module, _given: tuple[torch.Tensor, ...], returned: torch.Tensor) -> torch.Tensor:
        start = int(deep * returned.shape[-1])
        return torch.cat((returned[..., :start], 0.5 - returned[..., start:].flip(-1)), dim=-1)

    hooks = [part.register_forward_hook(turned) for part in norms]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _attended(trial: Trial, found: tuple[str, str, int], inputs: Inputs, length: int, figures: Figures) -> str | None:
    """Attention maps over the frames of the sound give weight to frames that are hidden.

    What lies there may be made zero before, so that it has no influence; it would still take weight from the others.
    """
    if set(trial.recipe.modalities) != {Modality.AUDIO} or not hasattr(trial.module, "set_attn_implementation"):
        return None
    if not (accepts(trial, "output_attentions") or accepts(trial, "kwargs")):
        return None
    with attention_implementation(trial.module, "eager"):
        returned = call(trial, inputs, output_attentions=True)
    maps = [
        weights
        for weights in getattr(returned, "attentions", None) or ()
        if isinstance(weights, torch.Tensor) and weights.dim() == 4 and weights.shape[-1] == weights.shape[-2]
    ]
    shorter = frames_of(trial, found, length) if maps else None
    if shorter is None:
        return None
    figures["frames_shown"] = shorter
    for layer, weights in enumerate(maps):
        seen = float(weights[..., :shorter, shorter:].max()) if shorter < weights.shape[-1] else 0.0
        if seen > 0:
            return f"layer {layer} attends to frames that the mask hides, with a weight of up to {seen:.1e}"
    return None


def _pooled(trial: Trial, found: tuple[str, str, int], inputs: Inputs, length: int, figures: Figures) -> str | None:
    """A head that sums up the frames reads those that are hidden, whatever its encoder has made of them."""
    body = getattr(trial.module, "base_model", trial.module)
    answers = main_outputs(outputs(trial, inputs))
    if body is trial.module or any(output.array.ndim != 2 for output in answers.values()):
        return None
    shorter = frames_of(trial, found, length, of=body)
    if shorter is None:
        return None

    def other(_part: torch.nn.Module, _given: tuple[Any, ...], returned: Any) -> Any:
        states = returned.last_hidden_state
        returned.last_hidden_state = torch.cat((states[:, :shorter], 0.5 - states[:, shorter:].flip(2)), dim=1)
        return returned

    hook = body.register_forward_hook(other)
    try:
        changed = main_outputs(outputs(trial, inputs))
    finally:
        hook.remove()
    compared = same(trial, answers, changed)
    figures["pooled.relative_rmse"] = size_of(compared)
    return None if agrees(compared) else f"other frames under the mask, behind the encoder: {off(compared)}"


def frames_of(
    trial: Trial, found: tuple[str, str, int], length: int, row: int = 0, *, of: torch.nn.Module | None = None
) -> int | None:
    """Frames that one sound has, cut to this length and alone: seen from what comes out, not from a formula.

    It comes out of the whole model, or of a part of it that takes the same inputs.
    """
    sound, mask_name, axis = found
    cut = {
        sound: np.take(trial.inputs[sound][[row]], np.arange(length), axis),
        mask_name: np.ones_like(trial.inputs[mask_name][[row], :length]),
    }
    with torch.no_grad():
        returned = call(trial, cut) if of is None else of(**arguments(trial, cut))
    answers = main_outputs(flatten(returned))
    frames = next(iter(answers.values()), None)
    return int(frames.array.shape[1]) if frames is not None and frames.array.ndim == 3 else None


def masked_sound(trial: Trial) -> tuple[str, str, int] | None:
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


def _early(trial: Trial, returned: Outputs) -> dict[str, Output]:
    """Outputs of a decoder as they are; of the frames of an encoder the first quarter, well before the mask begins."""
    found = {}
    for name, output in main_outputs(returned).items():
        frames = output.array.ndim == 3 and "decoder_input_ids" not in trial.inputs and "input_ids" not in trial.inputs
        # Time is the longer axis: frames × width, or one channel × samples.
        axis = int(np.argmax(output.array.shape[1:])) + 1 if output.array.shape[1:2] == (1,) else 1
        quarter = max(output.array.shape[axis] // 4, 1) if frames else 0
        found[name] = Output(np.moveaxis(output.array, axis, 1)[:, :quarter], output.dtype) if frames else output
    return found
