"""Translations of single operators to ONNX that the exporters get wrong, put right.

Each was found by a graph that no runtime could load or run. The name of one that an export made use of is noted, since
"works as the exporter is" and "works with a translation of ours" are different facts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

Translation = Callable[..., Any]


def translations(noted: set[str]) -> dict[Any, Translation]:
    """Ours by operator, for `torch.onnx.export(custom_translation_table=)`.

    Args:
        noted: takes the names of those that are used.
    """
    aten = torch.ops.aten
    return {
        aten.squeeze.dim: functools.partial(_squeeze, noted),
        aten.index_put.default: functools.partial(_index_put, noted),
    }


@contextmanager
def in_transformers(noted: set[str]) -> Iterator[None]:
    """Have transformers' exporter translate as we do, until the block ends."""
    from transformers.exporters import exporter_onnx

    table: dict[Any, Translation] = exporter_onnx._ONNX_TRANSLATION_TABLE  # noqa: SLF001 - it takes no other
    before = dict(table)
    table.update(translations(noted))
    try:
        yield
    finally:
        table.clear()
        table.update(before)


def _squeeze(noted: set[str], self: Any, dim: int) -> Any:
    """`squeeze(dim)` leaves an axis that is not of length 1 as it is; ONNX's operator refuses it."""
    from onnxscript.onnx_opset import opset18 as op

    rank = len(self.shape)
    length = self.shape[dim] if rank else None
    if rank and isinstance(length, int) and length != 1:
        noted.add("aten.squeeze.dim")
        return op.Identity(self)
    return op.Squeeze(self, op.Constant(value_ints=[dim])) if rank else op.Identity(self)


def _index_put(noted: set[str], self: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`self[mask] = values` where the mask may choose nothing.

    transformers' translation gathers from the values for every place, chosen or not, which no runtime can do where
    there are none; one number more than there are values makes sure that there is one.
    """
    import onnx_ir
    from onnxscript.onnx_opset import opset18 as op
    from transformers.exporters.exporter_onnx import _aten_index_put

    mask = indices[0]
    by_mask = mask is not None and getattr(mask, "dtype", None) == onnx_ir.DataType.BOOL
    sized = values.shape is not None and all(isinstance(length, int) for length in values.shape)
    if by_mask and not accumulate and not sized:
        noted.add("aten.index_put")
        flat = op.Reshape(values, op.Constant(value_ints=[-1]))
        one = op.CastLike(op.Constant(value_ints=[0]), values)
        values = op.Concat(flat, one, axis=0)
    return _aten_index_put(self, indices, values, accumulate)
