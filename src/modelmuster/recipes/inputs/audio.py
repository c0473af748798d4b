"""Audio: waveforms and spectral features, in the orders and lengths that speech models take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.counting import trial
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, Fragment
from modelmuster.recipes.inputs.sizes import AUDIO_POSITIONS, CODEBOOK_SIZE, CODEBOOKS, MEL_BINS
from modelmuster.records import Modality

FEATURES = ("input_features", "audio_features", "audio_input_features", "audio_mel", "spectrogram", "mel_spectrogram")
WAVEFORMS = ("input_values", "audio_values", "waveforms", "waveform", "input_audio", "inputs")
HIDDEN_SHARE = 4
"""One part in so many is hidden, from the end, to see whether a mask is over frames at all."""

MASKS = (
    "input_features_mask",
    "feature_attention_mask",
    "padding_mask",
    "audio_attention_mask",
    "input_features_attention_mask",
    "audio_mel_mask",
)
"""Names of the mask over audio frames. `attention_mask` belongs to the text where there is a text."""

MARKS_PADDING = frozenset({"audio_mel_mask"})
"""Those of them that are true where there is no sound."""

SAMPLES = (3200, 3840, 16000, 24000)
"""Lengths of a waveform: multiples of the strides of the usual encoders (320, 640, 1920), short ones first."""
FRAMES = (96, 200, 256, 320)
CODE_FRAMES = 8
HOP = 320
"""Samples per frame where the config does not say."""
BINS = (80, 128, 160, 64)
MOST_BINS = 1024
"""What enters a wider layer are no frames of sound any more, but what earlier layers made of them."""


def audio_name(callee: Callee) -> str | None:
    """The argument of `forward` that holds the audio."""
    return callee.first(*FEATURES, *WAVEFORMS)


def audio_fragments(callee: Callee) -> Iterator[Fragment]:
    """Every arrangement of audio that fits the arguments of `forward`, the most likely first."""
    yield from _codes(callee)
    yield from _latents(callee)
    name = audio_name(callee)
    if name is None:
        return
    if {"input_values", "input_features"} <= set(callee.required):
        yield from _both(callee)
        return
    if callee.takes("feature_lens"):
        yield from _one_after_another(callee, name)
    shapes = [*_features(callee), *_waveforms()] if name in FEATURES else [*_waveforms(), *_features(callee)]
    mask = callee.first(*MASKS)
    shared = mask is None and callee.takes("attention_mask") and not callee.takes("input_ids")
    for label, shape, frames in shapes:
        if shared:
            masked = _maker(name, shape, "attention_mask", frames, torch.long)
            if _can_hide(callee, masked):
                yield Fragment(label, Modality.AUDIO, masked)
            if "attention_mask" not in callee.required:
                yield Fragment(f"{label}-unmasked", Modality.AUDIO, _maker(name, shape, None, frames, torch.long))
        else:
            yield Fragment(label, Modality.AUDIO, _maker(name, shape, mask, frames, torch.bool))
            if mask == "input_features_mask" and mask not in callee.required:
                # Some masks are over what the tower returns, not over what it takes.
                yield Fragment(f"{label}-unmasked", Modality.AUDIO, _maker(name, shape, None, frames, torch.bool))


def _codes(callee: Callee) -> Iterator[Fragment]:
    """Frames of discrete codes [batch, frames, codebooks]."""
    books = callee.sizes.number(CODEBOOKS, Modality.AUDIO)
    if not callee.takes("audio_input_ids") or books is None:
        return
    high = callee.sizes.number(CODEBOOK_SIZE, Modality.AUDIO) or 2

    def make(draw: Draw) -> dict[str, Any]:
        return {
            "audio_input_ids": draw.integers(0, high, BATCH, CODE_FRAMES, books),
            "audio_input_ids_mask": torch.ones(BATCH, CODE_FRAMES, dtype=torch.bool),
        }

    yield Fragment("codes", Modality.AUDIO, make)


def _latents(callee: Callee) -> Iterator[Fragment]:
    """Latents of a voice [batch, frames, latent width], one place in the text for each."""
    width = callee.sizes.number(("audio_prompt_dim",)) or callee.sizes.number(("latent_dim",), Modality.AUDIO)
    if not callee.takes("audio_prompt_latents") or width is None:
        return

    def make(draw: Draw) -> dict[str, Any]:
        return {
            "audio_prompt_latents": draw.normal(BATCH, CODE_FRAMES, width),
            "audio_prompt_latents_mask": torch.ones(BATCH, CODE_FRAMES, dtype=torch.bool),
        }

    yield Fragment("latents", Modality.AUDIO, make, places=CODE_FRAMES)


def _both(callee: Callee) -> Iterator[Fragment]:
    """A waveform and its spectral features, as many frames of them as the codec makes of the waveform."""
    hop = callee.sizes.number(("hop_length",), Modality.AUDIO) or HOP
    for bins in dict.fromkeys(
        [*callee.sizes.entrances(Modality.AUDIO), *callee.sizes.numbers(MEL_BINS, Modality.AUDIO)]
    ):
        for frames in (CODE_FRAMES, 2 * CODE_FRAMES):

            def make(draw: Draw, bins: int = bins, frames: int = frames) -> dict[str, Any]:
                return {
                    "input_values": draw.normal(BATCH, 1, frames * hop),
                    "input_features": draw.normal(BATCH, frames, bins),
                }

            yield Fragment(f"waveform-and-frames-{frames}-bins-{bins}", Modality.AUDIO, make)


def _can_hide(callee: Callee, make: Callable[[Draw], dict[str, Any]]) -> bool:
    """Whether the mask may hide frames: a mask of ones may be of any length, since some models do not look at it."""
    made = make(callee.draw(Modality.AUDIO.value))
    usual = trial(callee.module, made).error
    made["attention_mask"][:, -made["attention_mask"].shape[1] // HIDDEN_SHARE :] = 0
    return usual is not None or trial(callee.module, made).error is None


def _one_after_another(callee: Callee, name: str) -> Iterator[Fragment]:
    """The frames of all sounds on one axis [bins, frames of all], with the number of those of each."""
    for bins in callee.sizes.numbers(MEL_BINS, Modality.AUDIO):

        def make(draw: Draw, bins: int = bins) -> dict[str, Any]:
            share = FRAMES[0] // BATCH
            return {name: draw.normal(bins, FRAMES[0]), "feature_lens": torch.full((BATCH,), share)}

        yield Fragment(f"bins-{bins}-all-frames-{FRAMES[0]}", Modality.AUDIO, make)


def _maker(
    name: str, shape: tuple[int, ...], mask: str | None, frames: int, dtype: torch.dtype
) -> Callable[[Draw], dict[str, Any]]:
    def make(draw: Draw) -> dict[str, Any]:
        made: dict[str, Any] = {name: draw.normal(*shape)}
        if mask is not None:
            made[mask] = torch.full((BATCH, frames), mask not in MARKS_PADDING, dtype=dtype)
        return made

    return make


def _waveforms() -> Iterator[tuple[str, tuple[int, ...], int]]:
    for samples in SAMPLES:
        yield f"waveform-{samples}", (BATCH, samples), samples
        yield f"waveform-mono-{samples}", (BATCH, 1, samples), samples


def _features(callee: Callee) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Frames of spectral features; a Whisper encoder insists on two frames for each of its positions."""
    stated = callee.sizes.numbers(MEL_BINS, Modality.AUDIO)
    positions = callee.sizes.number(AUDIO_POSITIONS, Modality.AUDIO)
    length = callee.sizes.number(("max_length",), Modality.AUDIO)
    fixed = [count for count in (positions and 2 * positions, positions, length) if count]
    entrances = [width for width in callee.sizes.entrances(Modality.AUDIO) if width <= MOST_BINS]
    for bins in dict.fromkeys([*stated, *entrances, *BINS]):
        for frames in dict.fromkeys([*fixed, *FRAMES]):
            if bins == frames:
                # Either order would fit: one is enough.
                yield f"frames-{frames}-bins-{bins}", (BATCH, frames, bins), frames
                continue
            yield f"bins-{bins}-frames-{frames}", (BATCH, bins, frames), frames
            yield f"frames-{frames}-bins-{bins}", (BATCH, frames, bins), frames
            if bins in stated and frames == FRAMES[0]:
                yield f"one-frames-{frames}-bins-{bins}", (BATCH, 1, frames, bins), frames
