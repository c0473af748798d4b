"""The one seed of every forward pass, so that a random layer draws the same numbers wherever it runs."""

from __future__ import annotations

import torch

FORWARD_SEED = 0
"""Seed set before each forward pass; a recipe's own seed decides its weights and inputs, never this."""


def seed_forward() -> None:
    """Seed the generators of the CPU and of every accelerator in use."""
    torch.manual_seed(FORWARD_SEED)
