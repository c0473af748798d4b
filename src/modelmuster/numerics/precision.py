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
    _forget(copied)
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
    _forget(copied)
    copied._apply(_raised)  # noqa: SLF001 - Module.double() leaves complex tensors alone
    for part in copied.modules():
        for name, value in vars(part).items():
            if isinstance(value, torch.Tensor):
                setattr(part, name, _raised(value))
    for config in _experts(copied):
        config._experts_implementation = "eager"  # noqa: SLF001 - the only name that transformers gives it
    return copied


@contextmanager
def plain_experts(module: torch.nn.Module) -> Iterator[None]:
    """Experts of a mixture run as a plain loop in here; the setting is put back at the end."""
    before = [(config, config._experts_implementation) for config in _experts(module)]  # noqa: SLF001 - as above
    try:
        for config, _ in before:
            config._experts_implementation = "eager"  # noqa: SLF001 - as above
        yield
    finally:
        for config, usual in before:
            config._experts_implementation = usual  # noqa: SLF001 - as above


def deep_copy(module: torch.nn.Module) -> torch.nn.Module:
    """A deep copy, also of a module that holds the result of an earlier computation, which torch refuses to copy.

    It forgets what some parts keep of their weights while they do not train, such as LeViT of its biases.
    """
    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    copied = copy.deepcopy(module, computed)
    forget(copied)
    return copied


def forget(module: torch.nn.Module) -> None:
    """Let go of what parts keep of their weights until they are trained again; what trains and what does not stays so.

    A dropout that was left on is a fault to be found, so it must be on afterwards too.
    """
    before = [(part, part.training) for part in module.modules()]
    module.train().eval()
    for part, training in before:
        part.training = training


def _experts(module: torch.nn.Module) -> list[Any]:
    """The configs that say how experts run, outer ones first.

    Among them those that single layers have of their own, which `set_experts_implementation` does not reach.
    """
    configs = [vars(part).get("config") for part in module.modules()]
    return list({id(each): each for each in configs if hasattr(each, "_experts_implementation")}.values())


def _forget(copied: torch.nn.Module) -> None:
    """Drop what a copy remembers of earlier calls in the precision that it had then, such as embeddings of texts."""
    for part in copied.modules():
        for helper in vars(part).values():
            # Plain objects of modelling code; what modules hold by themselves is weights and buffers.
            if type(helper).__module__.startswith("transformers.models.") and not isinstance(helper, torch.nn.Module):
                for table in vars(helper).values() if hasattr(helper, "__dict__") else ():
                    if isinstance(table, dict) and any(map(_is_computed, table.values())):
                        table.clear()


def _is_computed(value: Any) -> bool:
    return isinstance(value, torch.Tensor) or (isinstance(value, tuple) and any(map(_is_computed, value)))


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
