"""Values for inputs, drawn from one seeded generator so that the same seed gives the same inputs on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch


class Draw:
    """A source of random tensors.

    Args:
        seed: the recipe's seed.
        stream: sources of the same seed with different streams are independent, so that one part of the inputs can be
            drawn anew while the others stay.
    """

    def __init__(self, seed: int, stream: str = "") -> None:
        digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
        self._generator = torch.Generator().manual_seed(int.from_bytes(digest[:7]))

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normal values, float32."""
        return torch.randn(*shape, generator=self._generator)

    def uniform(self, *shape: int) -> torch.Tensor:
        """Values in [0, 1), float32."""
        return torch.rand(*shape, generator=self._generator)

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """Integers in [low, high), int64."""
        return torch.randint(low, max(high, low + 1), shape, generator=self._generator)

    def choice(self, values: Sequence[int], *shape: int) -> torch.Tensor:
        """Members of `values`, int64."""
        return torch.tensor(values)[self.integers(0, len(values), *shape)]
