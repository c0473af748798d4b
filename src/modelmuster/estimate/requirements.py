"""Parameters, weights, cache and activations of a model at its own size, computed on PyTorch's meta device."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from modelmuster.errors import CannotBuild, UsageError
from modelmuster.estimate.live import LiveBytes, bytes_of
from modelmuster.numerics.tensors import dtype_named
from modelmuster.recipes import overrides
from modelmuster.recipes.build import describe
from modelmuster.recipes.configs import config_class, default_config, model_class
from modelmuster.records import Architecture, Record

DTYPE_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "int4": 0.5}
"""Bytes of a weight; the scales that come with quantised weights are not in it."""

CACHES = ("past_key_values", "cache_params", "mems", "state")


class Requirements(Record, frozen=True, kw_only=True):
    """What a model needs. All of it is computed from shapes; nothing was measured."""

    model_type: str
    model_class: str
    source: str
    """Where the config came from: the class's defaults, or the folder of a checkpoint."""
    dtype: str
    batch: int
    context: int
    """Tokens of each row."""
    parameters: int
    weight_bytes: Mapping[str, int]
    """By dtype. Also about the size on disk, and of a download, in that dtype."""
    cache_bytes: int | None
    """Of the generation cache at this batch and context; None where there is none, or it cannot be told."""
    cache_bytes_per_token: float | None
    """What one more token of one row adds at short contexts, before a sliding window is full."""
    activation_bytes: int | None
    """Peak of the intermediate results of one forward pass, eager, without gradients; None where it cannot be told."""
    notes: tuple[str, ...] = ()
    """Why a figure is None, and what is not in the others."""

    @property
    def total_bytes(self) -> int:
        """Weights in the dtype asked for, with cache and activations as far as they are known."""
        return self.weight_bytes[self.dtype] + (self.cache_bytes or 0) + (self.activation_bytes or 0)


def estimate(
    architecture: Architecture,
    class_name: str,
    *,
    folder: Path | None = None,
    dtype: str = "bfloat16",
    batch: int = 1,
    context: int = 2048,
) -> Requirements:
    """Compute the requirements of a model.

    Args:
        architecture: the entry of the catalogue.
        class_name: one of its classes.
        folder: of a checkpoint, whose `config.json` says the sizes; the class's defaults if None.
        dtype: one of `DTYPE_BYTES`; quantised weights compute in bfloat16.
        batch: rows.
        context: tokens of each row.

    Raises:
        UsageError: an unknown dtype.
        CannotBuild, Unavailable: there is no such model here.
    """
    if dtype not in DTYPE_BYTES:
        raise UsageError(f"unknown dtype {dtype!r}", hint=f"there are: {', '.join(DTYPE_BYTES)}")
    cls = model_class(architecture, class_name)
    config = _config(architecture, cls, class_name, folder)
    computed = dtype_named(dtype if dtype.startswith(("float", "bfloat")) else "bfloat16")
    try:
        with torch.device("meta"):
            module = cls(config).to(computed).eval()
    except Exception as error:  # whatever a model raises while it is built
        raise CannotBuild(f"{class_name} cannot be built: {describe(error)}") from error
    parameters = sum(parameter.numel() for parameter in module.parameters())
    notes = ["operators' own scratch memory and the runtime itself are not in it"]
    activations, cache = _run(module, batch, context, notes)
    short = [_run(module, 1, length, [])[1] for length in (16, 32)]
    per_token = (short[1] - short[0]) / 16 if short[0] is not None and short[1] is not None else None
    return Requirements(
        model_type=architecture.model_type,
        model_class=class_name,
        source=str(folder) if folder else "the defaults of its config class",
        dtype=dtype,
        batch=batch,
        context=context,
        parameters=parameters,
        weight_bytes={name: int(parameters * size) for name, size in DTYPE_BYTES.items()},
        cache_bytes=cache,
        cache_bytes_per_token=per_token,
        activation_bytes=activations,
        notes=tuple(notes),
    )


def _config(architecture: Architecture, cls: Any, class_name: str, folder: Path | None) -> Any:
    own = config_class(architecture, cls)
    if folder is not None:
        return own.from_dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    overridden: dict[str, Any] = {}
    if override := overrides.find(architecture, class_name):
        overrides.apply(override, overridden)
    return default_config(own, architecture, overridden)


def _run(module: Any, batch: int, length: int, notes: list[str]) -> tuple[int | None, int | None]:
    """Peak bytes of activations and bytes of the cache of one pass over a text; None, with a note, where it fails."""
    tokens = torch.zeros(batch, length, dtype=torch.long, device="meta")
    live = LiveBytes()
    try:
        with torch.no_grad(), live:
            returned = module(input_ids=tokens)
    except Exception as error:  # noqa: BLE001 - whatever a model raises; it becomes the note
        notes.append(f"cache and activations: its forward pass on shapes alone fails: {describe(error)}")
        return None, None
    found = next((cache for name in CACHES if (cache := getattr(returned, name, None)) is not None), None)
    cache = bytes_of(found) if found is not None else None
    if cache is None:
        notes.append("it returns no generation cache")
    # The cache is alive at the peak as well, and is counted by itself.
    return max(0, live.peak - (cache or 0)), cache
