"""What a model chooses by its numbers: the best proposals, the nearest code, a match; rounding may choose others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_CHOOSING = frozenset({"argmax", "argmin", "argsort", "max", "min", "sort", "topk"})
"""Functions of torch that return places; `max` and `min` do so along an axis."""


class Choices(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Notes the places that are chosen while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[torch.Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        returned = func(*args, **dict(kwargs or {}))
        if getattr(func, "__name__", "") in _CHOOSING:
            places = returned[1] if isinstance(returned, tuple) else returned
            if _came_from_numbers(args) and places.dtype == torch.int64:
                self.chosen.append(places.cpu())
        return returned

    def differ(self, other: Choices) -> bool:
        """Whether other places were chosen, or at other times."""
        return len(self.chosen) != len(other.chosen) or not all(map(torch.equal, self.chosen, other.chosen))


def _came_from_numbers(args: tuple[Any, ...]) -> bool:
    """Whether what is compared are floating-point numbers: the largest of some positions is no choice."""
    return bool(args) and isinstance(args[0], torch.Tensor) and args[0].is_floating_point()
