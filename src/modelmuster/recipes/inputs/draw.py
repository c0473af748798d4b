"""Values for inputs, drawn from one seeded generator so that the same seed gives the same inputs on every machine."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class Draw:
    """A source of random tensors."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

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
