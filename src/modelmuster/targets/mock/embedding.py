"""From inputs to streams of tokens, each with the mask that says which of them are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelmuster.targets.mock.arithmetic import Arithmetic
from modelmuster.targets.mock.feeds import PATCH, WIDTH, WORDS
from modelmuster.targets.mock.layers import Weights

_WINDOW = 4
"""Steps of a time series that make one token."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The tokens of one input."""

    tokens: np.ndarray
    """Rows × tokens × width."""
    mask: np.ndarray
    """Rows × tokens, boolean."""


class Embedding:
    """Makes a stream of each input that carries data."""

    def __init__(self, weights: Weights, arithmetic: Arithmetic, broken: frozenset[str]) -> None:
        self._weights, self._arithmetic, self._broken = weights, arithmetic, broken

    def streams(self, inputs: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Stream]:
        """The streams of those inputs that are there, in the order of the names."""
        found: dict[str, Stream] = {}
        for name in names:
            if name in inputs:
                vectors = self._vectors(name, inputs)
                if "influence" in self._broken and not found and not name.startswith("decoder"):
                    vectors = np.zeros_like(vectors)
                found[name] = Stream(self._placed(vectors), self._mask(name, inputs, vectors.shape[1]))
        return found

    def _vectors(self, name: str, inputs: Mapping[str, Any]) -> np.ndarray:
        value = np.asarray(inputs[name])
        if name.endswith("input_ids"):
            words: np.ndarray = self._weights.matrix("words", WORDS)[value % WORDS]
            if "bbox" in inputs and name == "input_ids":
                words = words + self._projected("bbox", np.asarray(inputs["bbox"]) / 1000)
            return words
        if name == "past_values":
            observed = value * np.asarray(inputs["past_observed_mask"])
            return self._projected(name, observed.reshape(len(value), -1, _WINDOW))
        if name.startswith("pixel_values"):
            return self._projected(name, _patches(value))
        return self._projected(name, value)

    def _projected(self, name: str, values: np.ndarray) -> np.ndarray:
        numbers = self._arithmetic.number(values)
        return self._arithmetic.product(numbers, self._weights.matrix(f"{name}.in", values.shape[-1]))

    def _placed(self, vectors: np.ndarray) -> np.ndarray:
        """With the position of each token, and whatever is broken about the rows of the batch."""
        if "batch" in self._broken:
            vectors = vectors + vectors.mean(axis=0)
        if "order" in self._broken:
            vectors = vectors + np.arange(len(vectors)).reshape(-1, 1, 1)
        place, rate = np.arange(vectors.shape[1])[:, None], np.exp(-np.arange(0, WIDTH, 2) / 4)
        waves = np.concatenate([np.sin(place * rate), np.cos(place * rate)], axis=1)
        return self._arithmetic.normalised(vectors + self._arithmetic.number(waves))

    def _mask(self, name: str, inputs: Mapping[str, Any], length: int) -> np.ndarray:
        rows = len(inputs[name])
        candidates = {
            "decoder_input_ids": ("decoder_attention_mask",),
            "input_features": ("input_features_mask", "attention_mask"),
            "input_ids": ("attention_mask",),
        }.get(name, ())
        for candidate in candidates:
            mask = inputs.get(candidate)
            if mask is not None and np.shape(mask) == (rows, length) and "padding" not in self._broken:
                return np.asarray(mask).astype(bool)
        return np.ones((rows, length), bool)


def joined(streams: list[Stream]) -> Stream:
    """One stream of several."""
    return Stream(
        np.concatenate([stream.tokens for stream in streams], axis=1),
        np.concatenate([stream.mask for stream in streams], axis=1),
    )


def _patches(pixels: np.ndarray) -> np.ndarray:
    """Squares of an image, or of each frame of a video, as flat vectors."""
    rows, (channels, height, width) = len(pixels), pixels.shape[-3:]
    squares = pixels.reshape(rows, -1, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return squares.transpose(0, 1, 3, 5, 2, 4, 6).reshape(rows, -1, channels * PATCH * PATCH)
