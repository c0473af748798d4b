"""Functions that tracing cannot write to ONNX, in terms of those that it can: the same numbers, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class PlainFormulas(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Replaces calls of these functions while it is active."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, or what stands for it."""
        return _FORMULAS.get(func, func)(*args, **(kwargs or {}))


def _diff(
    input: torch.Tensor,  # noqa: A002 - torch's own name
    n: int = 1,
    dim: int = -1,
    prepend: torch.Tensor | None = None,
    append: torch.Tensor | None = None,
) -> torch.Tensor:
    parts = [part for part in (prepend, input, append) if part is not None]
    found = torch.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(n):
        length = found.shape[dim]
        later, earlier = found.narrow(dim, 1, length - 1), found.narrow(dim, 0, length - 1)
        found = later ^ earlier if found.dtype is torch.bool else later - earlier
    return found


def _pad_sequence(
    sequences: Sequence[torch.Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> torch.Tensor:
    longest = max(len(sequence) for sequence in sequences)
    rows = []
    for sequence in sequences:
        lacking = longest - len(sequence)
        sides = (0, lacking) if padding_side == "right" else (lacking, 0)
        others = (0, 0) * (sequence.dim() - 1)
        rows.append(torch.nn.functional.pad(sequence, (*others, *sides), value=padding_value))
    return torch.stack(rows, 0 if batch_first else 1)


def _cumsum(input: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: A002 - torch's own name
    # torch counts in int64; tracing forgets to say so.
    counted = input.long() if input.dtype is torch.bool and kwargs.get("dtype") is None else input
    return torch.cumsum(counted, *args, **kwargs)


def _as_strided(
    input: torch.Tensor,  # noqa: A002 - torch's own name
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> torch.Tensor:
    """Tracing takes the numbers in the order of the tensor's axes; strides count in the order in the memory."""
    stored = input.permute(sorted(range(input.dim()), key=lambda axis: -input.stride(axis)))
    if not stored.is_contiguous():
        return torch.as_strided(input, size, stride, storage_offset)
    places = torch.tensor(0 if storage_offset is None else storage_offset - input.storage_offset())
    for length, step in zip(size, stride, strict=True):
        places = places.unsqueeze(-1) + torch.arange(int(length)) * int(step)
    return stored.reshape(-1)[places]


def _split(tensor: torch.Tensor, split_size_or_sections: Any, dim: int = 0) -> Sequence[torch.Tensor]:
    """Lengths that were computed become a sequence of tensors in ONNX, which OpenVINO does not know."""
    if isinstance(split_size_or_sections, int):
        return tuple(torch.split(tensor, split_size_or_sections, dim))
    parts, start = [], 0
    for length in map(int, split_size_or_sections):
        parts.append(tensor.narrow(dim, start, length))
        start += length
    return tuple(parts)


def _unbind(input: torch.Tensor, dim: int = 0) -> Sequence[torch.Tensor]:  # noqa: A002 - torch's own name
    """Another sequence of tensors; iterating over a tensor ends here too."""
    return tuple(input.select(dim, index) for index in range(int(input.shape[dim])))


def _chosen(key: Any) -> Any:
    """The key of `x[mask, :]` without its slices, which tracing gives indices of another shape than the mask's."""
    match key:
        case (torch.Tensor(dtype=torch.bool) as mask, *rest) if all(other == slice(None) for other in rest):
            return mask
        case _:
            return key


def _getitem(self: torch.Tensor, key: Any) -> torch.Tensor:
    return self[_chosen(key)]


def _setitem(self: torch.Tensor, key: Any, value: Any) -> None:
    self[_chosen(key)] = value


_FORMULAS: dict[Any, Callable[..., Any]] = {
    torch.diff: _diff,
    torch.Tensor.diff: _diff,
    torch.as_strided: _as_strided,
    torch.Tensor.as_strided: _as_strided,
    torch.split: _split,
    torch.Tensor.split: _split,
    torch.unbind: _unbind,
    torch.Tensor.unbind: _unbind,
    torch.cumsum: _cumsum,
    torch.Tensor.cumsum: _cumsum,
    torch.Tensor.__getitem__: _getitem,
    torch.Tensor.__setitem__: _setitem,
    torch._C._nn.pad_sequence: _pad_sequence,  # noqa: SLF001 - what torch.nn.utils.rnn.pad_sequence calls
}
