"""Weights, and the layers that mix tokens: attention under a mask, with a cache where tokens come in steps."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from modelmuster.targets.mock.arithmetic import Arithmetic
from modelmuster.targets.mock.feeds import WIDTH

DEPTH = 2
STEPS = (2, 1, 1)
"""Tokens that are decoded on top of the cache, after all others have been read at once."""


class Weights:
    """Matrices by name, drawn when they are first asked for; the same for the same seed."""

    def __init__(self, seed: int, arithmetic: Arithmetic) -> None:
        self._seed, self._arithmetic = seed, arithmetic
        self._drawn: dict[str, np.ndarray] = {}

    def matrix(self, name: str, rows: int, columns: int = WIDTH) -> np.ndarray:
        """Normal values whose products keep the size of what they are multiplied with."""
        if name not in self._drawn:
            rng = np.random.default_rng([self._seed, crc32(name.encode())])
            self._drawn[name] = self._arithmetic.number(rng.standard_normal((rows, columns)) * np.sqrt(2 / rows))
        return self._drawn[name]


class Stack:
    """A few layers: every token looks at those that it may see, then at the encoder's where there is one."""

    def __init__(self, name: str, weights: Weights, arithmetic: Arithmetic) -> None:
        self._name, self._weights, self._arithmetic = name, weights, arithmetic

    def __call__(
        self,
        tokens: np.ndarray,
        seen: np.ndarray,
        cache: Cache | None = None,
        memory: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        """The tokens after all layers.

        Args:
            tokens: rows × tokens × width.
            seen: rows × tokens × keys: which keys each token may look at; those of the cache come first.
            cache: what earlier tokens left behind; these are added to it.
            memory: the encoder's tokens, and which of them may be seen.
        """
        calculate = self._arithmetic
        for layer in range(DEPTH):
            query, key, value = (self._product(tokens, f"{layer}.{part}") for part in ("query", "key", "value"))
            if cache is not None:
                key, value = cache.extended(layer, key, value)
            tokens = self._added(tokens, calculate.attention(query, key, value, seen), f"{layer}.mixed")
            if memory is not None:
                states, visible = memory
                query, key, value = (
                    self._product(source, f"{layer}.cross.{part}")
                    for source, part in ((tokens, "query"), (states, "key"), (states, "value"))
                )
                tokens = self._added(tokens, calculate.attention(query, key, value, visible), f"{layer}.read")
            inner = calculate.round(np.tanh(self._product(tokens, f"{layer}.inner")))
            tokens = self._added(tokens, inner, f"{layer}.outer")
        return tokens

    def _product(self, values: np.ndarray, name: str) -> np.ndarray:
        return self._arithmetic.product(values, self._weights.matrix(f"{self._name}.{name}", WIDTH))

    def _added(self, tokens: np.ndarray, change: np.ndarray, name: str) -> np.ndarray:
        return self._arithmetic.normalised(tokens + self._product(change, name))


class Cache:
    """Keys and values of earlier tokens, by layer."""

    def __init__(self, *, wrong: bool = False) -> None:
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._wrong = wrong

    def extended(self, layer: int, key: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Keys and values with those of earlier tokens before them."""
        if layer in self._kept:
            keys, values = self._kept[layer]
            if self._wrong:
                # The values alone: keys and values that move together would be the same set.
                values = np.roll(values, 1, axis=1)
            key, value = np.concatenate([keys, key], axis=1), np.concatenate([values, value], axis=1)
        self._kept[layer] = key, value
        return key, value


def in_steps(stack: Stack, tokens: np.ndarray, seen: np.ndarray, cache: Cache) -> np.ndarray:
    """Decode as a generator does: most tokens at once, the last ones on top of the cache."""
    length = tokens.shape[1]
    ends = [max(1, length - sum(STEPS[step:])) for step in range(len(STEPS))] + [length]
    done, start = [], 0
    for end in dict.fromkeys(ends):
        done.append(stack(tokens[:, start:end], seen[:, start:end, :end], cache))
        start = end
    return np.concatenate(done, axis=1)
