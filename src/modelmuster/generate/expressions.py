"""Inputs as Python source: short, and true to what makes them valid (ids, masks, grids) rather than to every digit."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST_ITEMS = 24
"""Items of a row that are written out one by one."""

WIDEST = 96
"""Characters of a list in one piece."""

AXES_OF_PATCHES, PLACE = 3, 2
"""Patches of an image may begin with their place, row and column, which a model looks up in tables."""

MOST_IN_ALL = 128
"""Items of an array that are written out, runs of equal values counted once."""


def expression(value: Any, most: int = MOST_IN_ALL) -> str:
    """The source of a value like this one: floats, and whole numbers too many to write out, are drawn again."""
    if isinstance(value, np.ndarray):
        return _array(value, most)
    if isinstance(value, list | tuple):
        members = [expression(member, most) for member in value]
        if len(members) > 1 and len(set(members)) == 1 and "rand" not in members[0]:
            return f"[{members[0]}] * {len(members)}"
        return f"[{', '.join(members)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {expression(member, most)}" for name, member in value.items()) + "}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = [
            f"{field.name}={expression(getattr(value, field.name), most)}" for field in dataclasses.fields(value)
        ]
        return f"{type(value).__module__}.{type(value).__qualname__}({', '.join(members)})"
    return repr(value)


def _array(array: np.ndarray, most: int) -> str:
    shape = ", ".join(map(str, array.shape))
    if array.ndim == 0:
        return f"torch.tensor({array.item()!r})"
    if not array.size:
        return f"torch.empty({shape})"
    dtype = "" if array.dtype.name in {"int64", "float32", "bool"} else f", dtype=torch.{array.dtype.name}"
    if array.size and (array == array.flat[0]).all():
        return _constant(array, shape)
    if array.dtype.kind == "f":
        return _floats(array, shape, dtype)
    return _whole(array, dtype, most)


def _constant(array: np.ndarray, shape: str) -> str:
    value, dtype = array.flat[0].item(), array.dtype.name
    made = {0: "zeros", 1: "ones"}.get(value)
    kept = "" if dtype == "float32" else f", dtype=torch.{dtype}"
    return f"torch.{made}({shape}{kept})" if made else f"torch.full({array.shape}, {value!r}{kept})"


def _floats(array: np.ndarray, shape: str, dtype: str) -> str:
    if array.size <= MOST_ITEMS and array.ndim == 1 and np.array_equal(array, np.round(array, 3)):
        return f"torch.tensor({array.tolist()}{dtype})"
    if np.isin(array, (0, 1)).all():
        return f"{_whole(array.astype(np.int64), '', MOST_IN_ALL)}.to(torch.{array.dtype.name})"
    if array.ndim == AXES_OF_PATCHES and array.shape[-1] > PLACE and _are_whole(array[..., :PLACE]):
        place, pixels = array[..., :PLACE].astype(np.int64), array[..., PLACE:]
        values = _floats(pixels, ", ".join(map(str, pixels.shape)), dtype)
        return f"torch.cat([{_whole(place, '', MOST_IN_ALL)}, {values}], -1)"
    low, high = float(array.min()), float(array.max())
    if low < -1.0 or high > 1.0 or low >= high:
        if low >= 0:
            return f"torch.rand({shape}{dtype}) * {high:.3g}"
        return f"torch.randn({shape}{dtype})"
    if low >= 0:
        return f"torch.rand({shape}{dtype})"
    return f"torch.rand({shape}{dtype}) * 2 - 1"


def _are_whole(array: np.ndarray) -> bool:
    return bool((array == array.round()).all() and array.any())


def _whole(array: np.ndarray, dtype: str, most: int) -> str:
    if array.ndim > 2:  # a matrix is a line for each row, more is a page
        most //= 4
    if array.ndim > 1 and len(array) > 1 and array[0].size >= MOST_ITEMS and (array == array[:1]).all():
        times = ", ".join([str(len(array)), *["1"] * (array.ndim - 1)])
        return f"{_whole(array[0], dtype, most)}.repeat({times})"
    if grid := _grid(array):
        return grid
    if sum(_length(row) for row in array.reshape(-1, array.shape[-1]).tolist()) <= most:
        return f"torch.tensor({_nested(array)}{dtype})"
    if np.array_equal(array.ravel(), np.arange(array.size)):
        return f"torch.arange({array.size}{dtype}).reshape{array.shape}"
    if array.dtype.kind == "b":
        return f"torch.rand({array.shape}) < {array.mean():.2g}"
    return f"torch.randint({array.min()}, {array.max() + 1}, {array.shape}{dtype})"


def _grid(array: np.ndarray) -> str:
    """Source of a table that counts through rows and columns, or columns and rows; empty for others."""
    if array.ndim != 2 or array.shape[1] != PLACE or array.shape[0] < MOST_ITEMS // 2:
        return ""
    first, sizes = int(array.min()), array.max(0) - array.min() + 1
    for axes, turned in (((0, 1), ""), ((1, 0), ".flip(1)")):
        counted = np.indices(sizes[list(axes)]).reshape(2, -1).T[:, list(axes)] + first
        if np.array_equal(array, counted):
            ranges = (f"torch.arange({first}, {first + sizes[axis]})" for axis in axes)
            return f"torch.cartesian_prod({', '.join(ranges)}){turned}"
    return ""


def _length(values: Sequence[Any]) -> int:
    """Items that `_row` writes."""
    return min(len(values), 2 * len(_runs(values))) if len(values) > MOST_ITEMS else len(values)


def _nested(array: np.ndarray) -> str:
    if array.ndim == 1:
        return _row(array.tolist())
    return f"[{', '.join(_nested(part) for part in array)}]"


def _row(values: Sequence[Any]) -> str:
    """`[5, 9] + [120] * 64 + [3]`: long runs are counted."""
    if len(values) <= MOST_ITEMS and all(length < MOST_ITEMS // 2 for _, length in _runs(values)):
        return _listed(values)
    parts: list[str] = []
    single: list[Any] = []
    for value, length in _runs(values):
        if length < 4:
            single += [value] * length
            continue
        if single:
            parts.append(_listed(single))
            single = []
        parts.append(f"[{value!r}] * {length}")
    if single:
        parts.append(_listed(single))
    return " + ".join(parts)


def _listed(values: Sequence[Any]) -> str:
    """A list, in pieces where a formatter would give each item a line of its own."""
    whole, size = str(list(values)), MOST_ITEMS // 2
    pieces = [str(list(values[start : start + size])) for start in range(0, len(values), size)]
    return whole if len(whole) <= WIDEST else " + ".join(pieces)


def _runs(values: Sequence[Any]) -> list[tuple[Any, int]]:
    return [(value, len(list(same))) for value, same in itertools.groupby(values)]
