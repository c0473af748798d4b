"""Inputs for each modality: the shapes are one small example of what real models take."""

from __future__ import annotations

import numpy as np

from modelmuster.records import Modality

ROWS, TOKENS, FRAMES, STEPS = 2, 12, 10, 16
WORDS, WIDTH = 32, 16
IMAGE, PATCH = 8, 4


def text(rng: np.random.Generator, prefix: str = "") -> dict[str, np.ndarray]:
    """Tokens, none of them the padding's, and a mask that hides nothing."""
    ids = rng.integers(1, WORDS, (ROWS, TOKENS), dtype=np.int64)
    return {f"{prefix}input_ids": ids, f"{prefix}attention_mask": np.ones_like(ids)}


def draw(modalities: frozenset[Modality], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Everything that these modalities are fed as; a mask of lengths goes with what has lengths."""
    fed: dict[str, np.ndarray] = {}
    if Modality.TEXT in modalities:
        fed |= text(rng)
    if Modality.LAYOUT in modalities:
        fed["bbox"] = np.sort(rng.integers(0, 1000, (ROWS, TOKENS, 4), dtype=np.int64), axis=-1)
    if Modality.IMAGE in modalities:
        fed["pixel_values"] = _normal(rng, 3, IMAGE, IMAGE)
    if Modality.VIDEO in modalities:
        fed["pixel_values_videos"] = _normal(rng, 2, 3, IMAGE, IMAGE)
    if Modality.AUDIO in modalities:
        fed["input_features"] = _normal(rng, FRAMES, WIDTH)
        mask = "input_features_mask" if Modality.TEXT in modalities else "attention_mask"
        fed[mask] = np.ones((ROWS, FRAMES), np.int64)
    if Modality.TIME_SERIES in modalities:
        fed["past_values"] = _normal(rng, STEPS)
        fed["past_observed_mask"] = np.ones((ROWS, STEPS), np.float32)
    if Modality.TABULAR in modalities:
        fed["states"] = _normal(rng, FRAMES, WIDTH)
    if Modality.EMBEDDING in modalities:
        fed["hidden_states"] = _normal(rng, FRAMES, WIDTH)
    return fed


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal((ROWS, *shape), dtype=np.float32)
