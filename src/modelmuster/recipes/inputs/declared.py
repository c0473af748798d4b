"""Inputs that an override declares: the `inputs` table of a model type, for arguments that no rule can know.

    [some-type.inputs]
    modalities = ["text", "tabular"]
    text = true
    marks = { kind = "constant", value = [[2, 5, 8], [1, 4, 9]] }
    states = { kind = "normal", shape = ["batch", 8, "config.state_dim"] }

Besides `modalities` (mandatory) and `text` (whether the arguments of a text come too), every key is an argument of
`forward`. Kinds: `normal`, `uniform` in [0, 1), `integers` in [`low`, `high`), `ids` (token ids without a special
meaning), `ones`, `zeros`, `arange` along the last axis, `constant` with its `value`, `pair` (two of kind `normal`, as
caches hold keys and values), `list` with a list `of` such tables, and `fields` with a table `of` them: a dictionary, or
the dataclass that `forward` names for the argument. `dtype` may be `int64` or `bool` for ones and zeros; all else is
float32, or int64 for integers. A side of a shape is a number, a size (`batch`, `sequence`, `target`, `width`,
`vocabulary`, `channels`, `image_height`, `image_width`, `frames`), an attribute of the config
(`config.text_config.n_docs`), or a product of these (`batch * config.n_docs`); `low` and `high` may be too.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from typing import Any

import torch

from modelmuster.errors import UsageError
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, TARGET_SEQUENCE, Layout
from modelmuster.recipes.inputs.required import complete
from modelmuster.recipes.inputs.text import decoder_arguments, text_arguments, tokens
from modelmuster.records import Modality

RESERVED = frozenset({"modalities", "text"})
DTYPES = {"float32": torch.float32, "int64": torch.int64, "bool": torch.bool}


def declared_layout(callee: Callee, table: Mapping[str, Any]) -> Layout:
    """The layout that a table declares.

    Raises:
        UsageError: the table names no modality, or one that does not exist.
    """
    try:
        modalities = tuple(Modality(name) for name in table["modalities"])
    except (KeyError, ValueError) as error:
        raise UsageError(f"inputs of {callee.architecture.model_type}: `modalities` must list modalities") from error

    def build() -> dict[str, Any]:
        draw = callee.draw()
        made: dict[str, Any] = {}
        if table.get("text"):
            made = text_arguments(callee, draw) | decoder_arguments(callee, draw)
        for name, spec in table.items():
            if name not in RESERVED:
                made[name] = _value(callee, draw, name, spec)
        return complete(callee, draw, made)

    return Layout("declared", modalities, build)


def _value(callee: Callee, draw: Draw, name: str, spec: Mapping[str, Any]) -> Any:
    kind = spec.get("kind")
    if kind == "constant":
        value = spec["value"]
        return torch.tensor(value) if isinstance(value, list) else value
    if kind == "fields":
        return _fields(callee, draw, name, spec["of"])
    if kind == "list":
        return [_value(callee, draw, name, entry) for entry in spec["of"]]
    if kind == "pair":
        return tuple(_value(callee, draw, name, {**spec, "kind": "normal"}) for _ in range(2))
    maker = _MAKERS.get(str(kind))
    if maker is None:
        known = ", ".join([*_MAKERS, "constant", "pair", "list", "fields"])
        raise UsageError(f"inputs.{name}: unknown kind {kind!r}; there are {known}")
    shape = [_side(callee, side) for side in spec["shape"]]
    return maker(callee, draw, shape, spec)


def _fields(callee: Callee, draw: Draw, name: str, table: Mapping[str, Any]) -> Any:
    made = {key: _value(callee, draw, f"{name}.{key}", spec) for key, spec in table.items()}
    hint = typing.get_type_hints(type(callee.module).forward).get(name)
    record = next(filter(dataclasses.is_dataclass, (hint, *typing.get_args(hint))), None)
    return record(**made) if isinstance(record, type) else made


def _side(callee: Callee, side: int | str) -> int:
    """One side of a shape, in elements."""
    if isinstance(side, int):
        return side
    product = 1
    for factor in str(side).split("*"):
        product *= _factor(callee, factor.strip())
    return product


def _factor(callee: Callee, name: str) -> int:
    if name.isdigit():
        return int(name)
    if name.startswith("config."):
        value = callee.config
        for attribute in name.split(".")[1:]:
            value = getattr(value, attribute)
        return int(value)
    sizes = callee.sizes
    known = {
        "batch": BATCH,
        "sequence": SEQUENCE,
        "target": TARGET_SEQUENCE,
        "width": sizes.width,
        "vocabulary": sizes.vocabulary,
        "channels": sizes.channels,
        "image_height": sizes.image[0],
        "image_width": sizes.image[1],
        "frames": sizes.frames,
    }
    if name not in known:
        raise UsageError(f"unknown size {name!r}; there are {', '.join(known)}, and attributes as config.NAME")
    return known[name]


def _filled(value: int) -> Callable[[Callee, Draw, list[int], Mapping[str, Any]], torch.Tensor]:
    return lambda _callee, _draw, shape, spec: torch.full(shape, value, dtype=DTYPES[spec.get("dtype", "float32")])


_MAKERS: dict[str, Callable[[Callee, Draw, list[int], Mapping[str, Any]], torch.Tensor]] = {
    "normal": lambda _callee, draw, shape, _spec: draw.normal(*shape),
    "uniform": lambda _callee, draw, shape, _spec: draw.uniform(*shape),
    "integers": lambda callee, draw, shape, spec: draw.integers(
        _side(callee, spec.get("low", 0)), _side(callee, spec["high"]), *shape
    ),
    "ids": lambda callee, draw, shape, _spec: tokens(callee, draw, *shape),
    "ones": _filled(1),
    "zeros": _filled(0),
    "arange": lambda _callee, _draw, shape, _spec: torch.arange(shape[-1]).expand(shape).clone(),
}
