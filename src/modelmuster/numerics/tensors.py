"""The border between NumPy and PyTorch: inputs into tensors, and whatever a model returns into named arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from modelmuster.contracts import Inputs, Output, Outputs
from modelmuster.errors import Unsupported
from modelmuster.nested import members_of, rebuilt

CACHES = frozenset({
    "cache_params",
    "decoder_cache",
    "decoder_past_key_values",
    "encoder_past_key_values",
    "mems",
    "padding_cache",
    "past_buckets_states",
    "past_key_values",
    "shared_kv_states",
    "state",
})  # fmt: skip
"""Fields of transformers' output classes that carry state to the next call and are no result."""


def dtype_named(name: str) -> torch.dtype:
    """The torch dtype of that name, such as `bfloat16`.

    Raises:
        Unsupported: torch has no such dtype.
    """
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise Unsupported(f"torch has no dtype {name!r}")
    return found


def dtype_name(dtype: torch.dtype) -> str:
    """`bfloat16` for `torch.bfloat16`."""
    return str(dtype).removeprefix("torch.")


def to_torch(
    inputs: Inputs, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> dict[str, Any]:
    """The inputs as tensors that the model may write into: memory is never shared with `inputs`.

    Args:
        inputs: arguments of a forward call; arrays inside lists, mappings and dataclasses are converted too, all else
            is passed on.
        dtype: the type that floating-point arrays are cast to; None keeps theirs.
        device: where the tensors are put; None for the CPU.
    """
    return {name: _tensor(value, dtype, device) for name, value in inputs.items()}


def to_numpy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a forward call with every tensor as an array; bfloat16 is widened to float32."""
    return {name: _plain(value) for name, value in inputs.items()}


def flatten(returned: Any) -> Outputs:
    """What a model returned as arrays by dotted path, in its own order; caches, None and plain numbers left out.

    A bare tensor is called `output`, members of a tuple by their index. Arrays are copies: outputs may be views of
    parameters or buffers that later calls change.
    """
    return {name: _output(tensor) for name, tensor in named_tensors(returned)}


def named_tensors(returned: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors behind `flatten`, still on their device, with the same names."""
    if isinstance(returned, torch.Tensor):
        yield "output", returned
    else:
        yield from _walk(returned, "")


def _walk(value: Any, path: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield path, value
        return
    for name, member in members_of(value):
        if name not in CACHES:
            yield from _walk(member, f"{path}.{name}" if path else name)


def _output(tensor: torch.Tensor) -> Output:
    return Output(_array(tensor), dtype_name(tensor.dtype))


def _array(tensor: torch.Tensor) -> np.ndarray:
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.is_floating_point() and tensor.dtype not in _NUMPY_FLOATS:
        tensor = tensor.float()
    array: np.ndarray = tensor.to("cpu", copy=True).numpy()
    return array


_NUMPY_FLOATS = frozenset({torch.float16, torch.float32, torch.float64})


def _tensor(value: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> Any:
    if not isinstance(value, np.ndarray | np.generic):
        return rebuilt(value, lambda member: _tensor(member, dtype, device))
    tensor = torch.from_numpy(np.array(value, order="C", copy=True))
    return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _array(value)
    return rebuilt(value, _plain)
