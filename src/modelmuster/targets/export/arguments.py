"""The arguments of a forward call as an exporter sees them: tensors by dotted path, and everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from modelmuster.contracts import Inputs
from modelmuster.numerics.tensors import dtype_named, to_torch


def leaves(
    module: torch.nn.Module, inputs: Inputs, dtype: str, *, prepared: bool
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors by path, and what is no tensor by path, as JSON can hold it.

    Args:
        module: asked for what it would compute from its arguments.
        inputs: arguments of a forward call.
        dtype: the type of floating-point arguments.
        prepared: whether transformers prepares the arguments first, as its exporters do: lengths of packed sequences,
            positions and indices that a graph cannot compute are computed from the arguments here.
    """
    wanted = dtype_named(dtype)
    arguments = to_torch(inputs, wanted)
    if prepared:
        from transformers.exporters.utils import prepare_for_export

        _, arguments, _ = prepare_for_export(module, arguments)
    tensors, rest = split(arguments)
    # The preparation casts to the module's own type.
    return {path: value.to(wanted) if value.is_floating_point() else value for path, value in tensors.items()}, rest


def split(arguments: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors by path, and what is no tensor by path."""
    found = dict(_walk(arguments, ""))
    tensors = {path: value for path, value in found.items() if isinstance(value, torch.Tensor)}
    rest = {path: value for path, value in found.items() if path not in tensors}
    return tensors, {
        path: value if isinstance(value, bool | int | float | str | None) else repr(value)
        for path, value in rest.items()
    }


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    members: Any
    match value:
        case Mapping():
            members = value.items()
        case list() | tuple():
            members = enumerate(value)
        case _:
            yield path, value
            return
    for name, member in members:
        yield from _walk(member, f"{path}.{name}" if path else str(name))
