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


_FORMULAS: dict[Any, Callable[..., Any]] = {
    torch.diff: _diff,
    torch.Tensor.diff: _diff,
    torch._C._nn.pad_sequence: _pad_sequence,  # noqa: SLF001 - what torch.nn.utils.rnn.pad_sequence calls
}
