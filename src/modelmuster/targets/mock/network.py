"""One function for each shape of model: a stream of tokens, an encoder with a decoder, two towers.

Which of them an architecture gets, and whether it is causal, follows from its family, traits and modalities, so that
it is the same for every architecture of a family that takes the same inputs. Its weights depend on the seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias

import numpy as np

from modelmuster.records import Architecture, Family, Modality, Trait
from modelmuster.targets.mock.arithmetic import Arithmetic
from modelmuster.targets.mock.embedding import Embedding, Stream, joined
from modelmuster.targets.mock.feeds import WIDTH, WORDS
from modelmuster.targets.mock.layers import Cache, Stack, Weights, in_steps

Arrays: TypeAlias = dict[str, np.ndarray]

STREAMS = (
    "pixel_values", "pixel_values_videos", "input_features", "past_values", "states", "hidden_states", "input_ids",
)  # fmt: skip
"""Inputs that become tokens, in the order in which they are read: text last, so that it can speak of the others."""

OTHER_TOWERS = {"pixel_values": "image", "pixel_values_videos": "video", "input_features": "audio"}
"""What stands beside the text in a model of two towers."""


class Form(Enum):
    """The shape of a model."""

    STREAM = "stream"
    ENCODER_DECODER = "encoder-decoder"
    TWO_TOWERS = "two towers"


def form_of(architecture: Architecture) -> Form:
    """The form that an architecture of this kind has."""
    speaks = bool({Modality.TEXT, Modality.AUDIO} & set(architecture.modalities))
    if Trait.TWO_TOWER in architecture.traits and Modality.TEXT in architecture.modalities:
        return Form.TWO_TOWERS
    if speaks and (architecture.family is Family.ENCODER_DECODER or Trait.ENCODER_DECODER in architecture.traits):
        return Form.ENCODER_DECODER
    return Form.STREAM


def is_causal(architecture: Architecture) -> bool:
    """Whether its stream of tokens is read from left to right, to predict the next word."""
    if Modality.TEXT not in architecture.modalities:
        return False
    return architecture.family is Family.DECODER_ONLY or (
        Trait.GENERATIVE in architecture.traits and architecture.family is not Family.ENCODER_ONLY
    )


class Network:
    """The function of one architecture in one dtype."""

    def __init__(
        self, architecture: Architecture, seed: int, dtype: str, broken: frozenset[str], *, steps: bool
    ) -> None:
        """Draw nothing yet.

        Args:
            architecture: decides the form.
            seed: decides the weights.
            dtype: `float64` and narrower.
            broken: properties that do not hold, by the names of `breaks.PROPERTIES`.
            steps: whether a decoder reads its last tokens one by one on top of a cache.
        """
        self._architecture, self._broken, self._steps = architecture, broken, steps
        self._arithmetic = Arithmetic(dtype)
        self._weights = Weights(seed, self._arithmetic)
        self._embedding = Embedding(self._weights, self._arithmetic, broken)

    def __call__(self, inputs: Mapping[str, Any]) -> Arrays:
        """The outputs by name."""
        form = form_of(self._architecture)
        if form is Form.TWO_TOWERS:
            return self._two_towers(inputs)
        if form is Form.ENCODER_DECODER:
            return self._encoder_decoder(inputs)
        return self._stream(inputs)

    def _stream(self, inputs: Mapping[str, Any]) -> Arrays:
        streams = self._embedding.streams(inputs, STREAMS)
        whole = joined(list(streams.values()))
        if not is_causal(self._architecture):
            return {"last_hidden_state": self._encoded("encoder", whole)}
        states = self._decoded(whole)
        return {"logits": self._words(states[:, -streams["input_ids"].tokens.shape[1] :])}

    def _encoder_decoder(self, inputs: Mapping[str, Any]) -> Arrays:
        encoder = joined(list(self._embedding.streams(inputs, STREAMS).values()))
        [decoder] = self._embedding.streams(inputs, ("decoder_input_ids",)).values()
        states = self._encoded("encoder", encoder)
        visible = np.broadcast_to(encoder.mask[:, None, :], (*decoder.mask.shape, encoder.mask.shape[1]))
        stack = Stack("decoder", self._weights, self._arithmetic)
        decoded = stack(decoder.tokens, self._earlier(decoder), memory=(states, visible))
        return {"logits": self._words(decoded), "encoder_last_hidden_state": states}

    def _two_towers(self, inputs: Mapping[str, Any]) -> Arrays:
        streams = self._embedding.streams(inputs, ("input_ids", *OTHER_TOWERS))
        embedded = {name: self._pooled(name, stream) for name, stream in streams.items()}
        text = embedded.pop("input_ids")
        found = {"text_embeds": text}
        for name, other in embedded.items():
            word = OTHER_TOWERS[name]
            likeness = self._arithmetic.product(other, text.T)
            found |= {f"{word}_embeds": other, f"logits_per_{word}": likeness, f"logits_per_text_{word}": likeness.T}
        return found

    def _pooled(self, name: str, stream: Stream) -> np.ndarray:
        states = self._encoded(f"{name}.tower", stream)
        return self._arithmetic.normalised(self._arithmetic.mean(states, stream.mask))

    def _encoded(self, name: str, stream: Stream) -> np.ndarray:
        seen = _itself(stream) | np.broadcast_to(stream.mask[:, None, :], _itself(stream).shape)
        if "bidirectional" in self._broken:
            seen = self._earlier(stream)
        return Stack(name, self._weights, self._arithmetic)(stream.tokens, seen)

    def _decoded(self, stream: Stream) -> np.ndarray:
        stack, seen = Stack("decoder", self._weights, self._arithmetic), self._earlier(stream)
        if not self._steps or "causality" in self._broken:
            return stack(stream.tokens, seen)
        return in_steps(stack, stream.tokens, seen, Cache(wrong="cache" in self._broken))

    def _earlier(self, stream: Stream) -> np.ndarray:
        """Each token sees itself and what stands before it, as far as the mask shows it."""
        length = stream.mask.shape[1]
        before = np.ones((length, length), bool) if "causality" in self._broken else np.tri(length, dtype=bool)
        seen: np.ndarray = _itself(stream) | (before[None] & stream.mask[:, None, :])
        return seen

    def _words(self, states: np.ndarray) -> np.ndarray:
        return self._arithmetic.product(states, self._weights.matrix("head", WIDTH, WORDS))


def _itself(stream: Stream) -> np.ndarray:
    return np.broadcast_to(np.eye(stream.mask.shape[1], dtype=bool), (len(stream.mask), *(stream.mask.shape[1],) * 2))
