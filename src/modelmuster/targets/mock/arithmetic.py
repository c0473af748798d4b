"""Arithmetic in a dtype: every operation is computed wide and its result rounded to the dtype's grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

Rounding = Callable[[np.ndarray], np.ndarray]


def _float64(values: np.ndarray) -> np.ndarray:
    return values


def _float32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _float16(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16).astype(np.float32)


def _bfloat16(values: np.ndarray) -> np.ndarray:
    """To the nearest number with eight significant bits; ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    kept = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (kept & np.uint32(0xFFFF0000)).view(np.float32)


ROUNDINGS: Mapping[str, Rounding] = MappingProxyType(
    {
        "float64": _float64,
        "float32": _float32,
        "float16": _float16,
        "bfloat16": _bfloat16,
    }
)


class Arithmetic:
    """The few operations that the mock functions are made of, in one dtype."""

    def __init__(self, dtype: str) -> None:
        self.round = ROUNDINGS[dtype]
        self._wide = np.float64 if dtype == "float64" else np.float32

    def number(self, values: np.ndarray) -> np.ndarray:
        """Inputs and weights in this dtype."""
        return self.round(np.asarray(values).astype(self._wide))

    def product(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Matrix product over the last two axes."""
        return self.round(left @ right)

    def normalised(self, values: np.ndarray) -> np.ndarray:
        """Divided by its root mean square over the last axis."""
        return self.round(values / np.sqrt(np.mean(values**2, axis=-1, keepdims=True) + 1e-6))

    def attention(self, query: np.ndarray, key: np.ndarray, value: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Softmax attention where `seen` (rows × queries × keys) is true."""
        scores = self.round(query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1]))
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return self.product(self.round(weights / weights.sum(axis=-1, keepdims=True)), value)

    def mean(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Mean over the second axis where the mask is set."""
        kept = mask[..., None]
        return self.round((values * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1))
