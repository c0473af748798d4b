"""A copy of the module to train: in training mode, with everything that is random in training switched off."""

from __future__ import annotations

import re

import torch

from modelmuster.numerics.precision import deep_copy
from modelmuster.recipes.sessions import asked_through_one

_SWITCHES = ("apply_spec_augment", "decoder_layerdrop", "encoder_layerdrop", "layerdrop", "mask_time_prob")
"""Fields of configurations that are read while training."""


_REFUSAL = re.compile(r"in training mode|[Ii]f (training|you want to train)")
"""How a model says that it trains only with labels or inputs of its own kind."""


def refuses(error: Exception) -> bool:
    """Whether a model says by this error that it is not to be trained like this."""
    return _REFUSAL.search(str(error)) is not None


def gradients_of(value: torch.Tensor, of: list[torch.Tensor]) -> tuple[torch.Tensor | None, ...] | str:
    """The gradients, None where there is no dependence; or why the model refuses to give any in eval mode."""
    try:
        return tuple(torch.autograd.grad(value, of, allow_unused=True))
    except AssertionError as refusal:
        if not refuses(refusal):
            raise
        return f"refuses gradients in eval mode: {refusal}"


def never_trained(module: torch.nn.Module) -> str | None:
    """Why no step of training fits this model at all, or None if it may."""
    return "asked through a session, frame by frame, which is no training" if asked_through_one(module) else None


def training_copy(module: torch.nn.Module) -> torch.nn.Module:
    """No dropout, no dropped layers, no augmentation, and batch normalisation as in eval mode."""
    copied = deep_copy(module).train()
    for part in copied.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - the public classes share no base
            part.eval()
        for name, value in list(vars(part).items()):
            if isinstance(value, float) and ("drop" in name or name == "p"):
                setattr(part, name, 0.0)
    for config in {id(found): found for part in copied.modules() if (found := getattr(part, "config", None))}.values():
        for name in _SWITCHES:
            if hasattr(config, name):
                setattr(config, name, type(getattr(config, name))(0))
    return copied
