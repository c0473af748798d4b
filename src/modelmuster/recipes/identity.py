"""What makes two recipes the same: versions of what builds the model, and the content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from modelmuster.catalog import own
from modelmuster.nested import members_of
from modelmuster.recipes.shrink.draft import jsonable
from modelmuster.records import Recipe, TensorSpec


@cache
def versions() -> dict[str, str]:
    """Versions of the installed distributions that change what is built."""
    found = {}
    for distribution in ("torch", "transformers", "timm"):
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            continue
    return found


def versions_of(model_type: str) -> dict[str, str]:
    """The same for one architecture: of one that is no part of transformers, its code is a version too."""
    code = own.code(model_type)
    return versions() | ({f"the code of {model_type}": code} if code else {})


@cache
def source_hash() -> str:
    """SHA-256 over the code and the overrides of this layer: remembered search results end with either."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.toml")]):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def input_specs(inputs: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    """Name, shape and dtype of each input; members by index or name, plain values with the name of their type."""
    found: list[TensorSpec] = []

    def visit(name: str, value: Any) -> None:
        if isinstance(value, np.ndarray):
            found.append(TensorSpec(name=name, shape=tuple(value.shape), dtype=str(value.dtype)))
        elif members := members_of(value):
            for member, entry in members:
                visit(f"{name}.{member}", entry)
        else:
            found.append(TensorSpec(name=name, shape=(), dtype=type(value).__name__))

    for name, value in inputs.items():
        visit(name, value)
    return tuple(found)


def recipe_hash(recipe: Recipe, weights: int | str) -> str:
    """SHA-256, in hex, over everything that determines the model and its inputs; not over how they were found.

    Args:
        recipe: its other fields.
        weights: the version of the rule that draws them, or the hash of a checkpoint's files.
    """
    content = {
        "config": recipe.config,
        "model_type": recipe.model_type,
        "model_class": recipe.model_class,
        "scale": recipe.scale.value,
        "seed": recipe.seed,
        "weights": weights,
        "layout": recipe.layout,
        "inputs": msgspec.to_builtins(recipe.inputs),
        "versions": recipe.versions,
    }
    return digest(content)


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a JSON document with its keys in order."""
    return hashlib.sha256(json.dumps(jsonable(dict(content)), sort_keys=True).encode()).hexdigest()
