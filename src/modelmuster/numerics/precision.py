"""Copies of a module in another precision: what transformers itself would load, and a full float64 one."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

_STRICT_KEEPERS = frozenset({torch.float16, torch.bfloat16})


def in_dtype(module: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    """A copy whose floating-point parameters and buffers have this dtype.

    Parameters that the model class lists in `_keep_in_fp32_modules` (for float16) and `_keep_in_fp32_modules_strict`
    (for bfloat16 too) stay float32, as `from_pretrained(dtype=...)` leaves them.
    """
    copied = deep_copy(module)
    keeps = _keeps_float32(module, dtype)
    for name, tensor in _named_state(copied):
        if tensor.is_floating_point():
            tensor.data = tensor.data.to(torch.float32 if keeps(name) else dtype)
    if getattr(copied, "config", None) is not None:
        copied.config.dtype = dtype
    return copied


def in_float64(module: torch.nn.Module) -> torch.nn.Module:
    """A copy with every floating-point tensor raised to float64, attributes that are no buffers included.

    Experts of a mixture run as a plain loop: the grouped matrix product has no float64 kernel.
    """
    copied = deep_copy(module)
    copied._apply(_raised)  # noqa: SLF001 - Module.double() leaves complex tensors alone
    for part in copied.modules():
        for name, value in vars(part).items():
            if isinstance(value, torch.Tensor):
                setattr(part, name, _raised(value))
    if hasattr(copied, "set_experts_implementation"):
        copied.set_experts_implementation("eager")
    return copied


@contextmanager
def plain_experts(module: torch.nn.Module) -> Iterator[None]:
    """Experts of a mixture run as a plain loop in here; the setting is put back at the end."""
    if not hasattr(module, "set_experts_implementation"):
        yield
        return
    before = module.get_experts_implementation()
    module.set_experts_implementation("eager")
    try:
        yield
    finally:
        module.set_experts_implementation(before)


def deep_copy(module: torch.nn.Module) -> torch.nn.Module:
    """A deep copy, also of a module that holds the result of an earlier computation, which torch refuses to copy."""
    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    return copy.deepcopy(module, computed)


def _named_state(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _keeps_float32(module: torch.nn.Module, dtype: torch.dtype) -> Callable[[str], bool]:
    names: set[str] = set()
    if dtype is torch.float16:
        names |= set(getattr(module, "_keep_in_fp32_modules", None) or ())
    if dtype in _STRICT_KEEPERS:
        names |= set(getattr(module, "_keep_in_fp32_modules_strict", None) or ())
    if not names:
        return lambda _: False
    kept = re.compile("|".join(rf"(^|\.){re.escape(name)}($|\.)" for name in sorted(names)))
    return lambda name: kept.search(name) is not None


def _raised(tensor: Any) -> Any:
    if tensor.is_floating_point():
        return tensor.double()
    return tensor.to(torch.complex128) if tensor.is_complex() else tensor
