"""How large an error weights of eight bits cause by themselves, arithmetic being exact."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from modelmuster.numerics.precision import deep_copy
from modelmuster.numerics.rule import BLOCK

LEVELS = 127

_ELSEWHERE = (torch.nn.Embedding, torch.nn.EmbeddingBag, torch.nn.modules.conv._ConvNd)  # noqa: SLF001 - their base
"""Modules whose weights are no factor of a matrix product."""


def rounded(module: torch.nn.Module, generator: torch.Generator) -> torch.nn.Module:
    """A copy whose matrices lie on a grid of eight bits in each block, each number up or down at random."""
    copied = deep_copy(module)
    with torch.no_grad():
        for weight, axis in _matrices(copied):
            weight.copy_(_on_grid(weight, axis, generator))
    return copied


def _matrices(module: torch.nn.Module) -> Iterator[tuple[torch.nn.Parameter, int]]:
    """Factors of matrix products with the axis that is summed over: the last of a linear layer's, else the first."""
    seen: set[int] = set()
    for part in module.modules():
        if isinstance(part, _ELSEWHERE):
            continue
        for parameter in part.parameters(recurse=False):
            if parameter.dim() == 2 and parameter.is_floating_point() and id(parameter) not in seen:
                seen.add(id(parameter))
                yield parameter, 1 if isinstance(part, torch.nn.Linear) else 0


def _on_grid(weight: torch.Tensor, axis: int, generator: torch.Generator) -> torch.Tensor:
    """The weight rounded at random to steps of its block's largest number ÷ 127."""
    rows = weight.movedim(axis, -1)
    length = rows.shape[-1]
    padded = torch.nn.functional.pad(rows, (0, -length % BLOCK)).double()
    blocks = padded.reshape(*rows.shape[:-1], -1, BLOCK)
    step = blocks.abs().amax(-1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / LEVELS
    noise = torch.rand(blocks.shape, generator=generator, dtype=torch.float64)
    moved = ((blocks / step + noise).floor() * step).reshape(padded.shape)[..., :length]
    return moved.to(weight.dtype).movedim(-1, axis)
