"""The true float64 run on the CPU that every target is judged by.

`module.double()` alone is no float64 run: modelling code casts to float32 inside normalisations, rotary embeddings and
softmax. In 17 of 58 architectures measured, that made such a reference wrong by more than 1e-8, in some by half of
float32's own error. Here those casts are raised, and constants are created in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from modelmuster.contracts import Inputs, Outputs
from modelmuster.errors import ReferenceUnstable
from modelmuster.numerics.precision import in_float64
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import flatten, to_torch

STABLE_RELATIVE = 1e-9
"""Two float64 runs may differ by this much of the largest value: far above float64's own reordering error (about
1e-13 here), far below any float32 bound."""

RAISED = {
    torch.float32: torch.float64,
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.complex64: torch.complex128,
}
_CASTS = frozenset({torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16})
_BIT_CASTS = frozenset({torch.Tensor.view})
_DRAW_FACTORIES = frozenset({torch.rand, torch.randn, torch.rand_like, torch.randn_like})
_DRAW_IN_PLACE = frozenset({torch.Tensor.normal_, torch.Tensor.uniform_})
_DRAW_BY_ARGUMENT = frozenset({torch.bernoulli, torch.multinomial, torch.poisson})

_copies: WeakKeyDictionary[torch.nn.Module, torch.nn.Module] = WeakKeyDictionary()


def run_float64(module: torch.nn.Module, inputs: Inputs) -> Outputs:
    """Run a float64 copy of the module on the CPU, twice from the same seed.

    The copy is kept with the module, so that further references cost no other copy; `release` frees it.

    Raises:
        ReferenceUnstable: the two runs differ.
    """
    copied = _copies.get(module)
    if copied is None:
        copied = _copies[module] = in_float64(module)
    first = _run(copied, inputs)
    second = _run(copied, inputs)
    differing = [name for name in first if not _same(first[name].array, second.get(name))]
    if differing or set(first) != set(second):
        names = ", ".join(differing or sorted(set(first) ^ set(second)))
        raise ReferenceUnstable(f"two float64 runs of the same inputs from the same seed differ in {names}")
    return first


def release(module: torch.nn.Module) -> None:
    """Free the float64 copy of the module, if there is one."""
    _copies.pop(module, None)


def _run(copied: torch.nn.Module, inputs: Inputs) -> Outputs:
    with float64_defaults(), Float64Casts():
        returned = call_seeded(copied, to_torch(inputs, torch.float64))
    return flatten(returned)


def _same(first: np.ndarray, second: Any) -> bool:
    if second is None or first.shape != second.array.shape or first.dtype != second.array.dtype:
        return False
    if first.dtype.kind not in "fc":
        return bool(np.array_equal(first, second.array))
    finite = np.abs(first[np.isfinite(first)])
    slack = STABLE_RELATIVE * float(finite.max()) if finite.size else 0.0
    return bool(np.allclose(first, second.array, rtol=0, atol=slack, equal_nan=True))


@contextmanager
def float64_defaults() -> Iterator[None]:
    """Tensors made from Python numbers are float64 in here."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Float64Casts(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Raises every hard-coded cast to a narrower float, and draws random numbers as a float32 run would.

    torch's generators give other numbers for float64 than for float32 from the same seed, so uniform and normal
    draws are made in float32 and widened.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func` with its dtypes raised."""
        if func in _CASTS:
            return args[0].to(torch.complex128 if args[0].is_complex() else torch.float64)
        if func in _BIT_CASTS:
            return func(*args, **(kwargs or {}))
        args = tuple(_raise(value) for value in args)
        kwargs = {name: _raise(value) for name, value in (kwargs or {}).items()}
        if func in _DRAW_FACTORIES:
            return _drawn(func, args, kwargs)
        if func in _DRAW_IN_PLACE and args[0].dtype is torch.float64:
            return args[0].copy_(func(torch.empty_like(args[0], dtype=torch.float32), *args[1:], **kwargs))
        if func in _DRAW_BY_ARGUMENT:
            result = func(args[0].float(), *args[1:], **kwargs)
            return result.to(args[0].dtype) if result.is_floating_point() else result
        if func is torch.normal:
            return _normal(args, kwargs)
        return func(*args, **kwargs)


def _raise(value: Any) -> Any:
    return RAISED.get(value, value) if isinstance(value, torch.dtype) else value


def _drawn(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
    made: torch.Tensor = func(*args, **{**kwargs, "dtype": torch.float32})
    return made.double()


def _normal(args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
    """`torch.normal(mean, std)` with float32 noise; other forms as they are."""
    named = dict(zip(("mean", "std"), args, strict=False)) | kwargs
    mean, std = named.get("mean", 0.0), named.get("std", 1.0)
    if not isinstance(mean, torch.Tensor) and not isinstance(std, torch.Tensor):
        size = named.get("size", args[2] if len(args) > 2 else ())
        return mean + std * torch.randn(size, dtype=torch.float32, generator=kwargs.get("generator")).double()
    shape = torch.broadcast_shapes(*(value.shape for value in (mean, std) if isinstance(value, torch.Tensor)))
    noise = torch.empty(shape, dtype=torch.float32).normal_(generator=kwargs.get("generator"))
    return mean + std * noise.double()
