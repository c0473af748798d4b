"""A copy of the module to train: in training mode, with everything that is random in training switched off."""

from __future__ import annotations

from typing import Any

import torch

from modelmuster.numerics.precision import deep_copy

_SWITCHES = ("apply_spec_augment", "decoder_layerdrop", "encoder_layerdrop", "layerdrop", "mask_time_prob")
"""Fields of configurations that are read while training."""


UNTRAINABLE = "in training mode"
"""How a model says that it trains only with labels of its own kind."""


def training_copy(module: torch.nn.Module) -> torch.nn.Module:
    """No dropout, no dropped layers, no augmentation, and batch normalisation as in eval mode."""
    copied = deep_copy(module).train()
    for part in copied.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - the public classes share no base
            part.eval()
        for name, value in list(vars(part).items()):
            if isinstance(value, float) and ("drop" in name or name == "p"):
                setattr(part, name, 0.0)
    config: Any = getattr(copied, "config", None)
    for name in _SWITCHES:
        if hasattr(config, name):
            setattr(config, name, type(getattr(config, name))(0))
    return copied
