"""The one way to call a module: seeded, without gradients, so that a random layer draws the same numbers everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

FORWARD_SEED = 0
"""Seed set before each forward pass; a recipe's own seed decides its weights and inputs, never this."""


def seed_forward(seed: int = FORWARD_SEED) -> None:
    """Seed the generators of the CPU and of every accelerator in use."""
    torch.manual_seed(seed)


def call_seeded(module: torch.nn.Module, arguments: Mapping[str, Any]) -> Any:
    """What the module returns for these keyword arguments, without gradients.

    `no_grad` rather than `inference_mode`: some models keep what they compute in a forward pass (sinusoidal tables,
    rotary frequencies), and an inference tensor kept by a module breaks every later backward pass through it.
    """
    seed_forward()
    with torch.no_grad():
        return module(**arguments)
