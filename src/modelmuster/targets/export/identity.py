"""What makes two exports the same: recipe, weights, inputs, dtype, and the versions of what exports."""

from __future__ import annotations

import functools
import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from modelmuster.contracts import Subject

PACKAGES = ("torch", "transformers", "onnx", "onnxscript", "onnx-ir")
"""Those whose version decides what an export gives."""


@functools.cache
def versions() -> dict[str, str]:
    """Of those packages that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def key(subject: Subject, dtype: str) -> str:
    """Forty hex digits over everything that decides what is exported.

    A recipe's hash names its weights and inputs; their values are taken too, so that a change in how they are drawn
    never meets an old file.
    """
    digest, recipe = hashlib.sha256(), subject.recipe
    named = [recipe.hash, recipe.model_type, recipe.model_class, recipe.config, dtype, versions(), _source()]
    digest.update(json.dumps(named, sort_keys=True, default=repr).encode())
    for name, value in subject.module.state_dict().items():
        _feed(digest, name, value.detach() if hasattr(value, "detach") else value)
    for name in sorted(subject.inputs):
        _feed(digest, name, subject.inputs[name])
    return digest.hexdigest()[:40]


def _feed(digest: Any, name: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        for index, member in enumerate(value):
            _feed(digest, f"{name}.{index}", member)
    elif hasattr(value, "untyped_storage"):  # a tensor; of bfloat16 too, which NumPy lacks
        import torch

        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.reshape(-1).contiguous().view(torch.uint8).numpy())
    elif isinstance(value, np.ndarray):
        digest.update(f"{name} {value.dtype} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value))
    else:
        digest.update(f"{name} {value!r} ".encode())


@functools.cache
def _source() -> str:
    """SHA-256 over the code of this package: what it made before a change is made anew."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
