"""Write a subject into a folder of a pack: weights and inputs that two bytes hold exactly, and outputs in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors import torch as tensors
from safetensors.numpy import save_file

from modelmuster.contracts import Inputs, Subject
from modelmuster.errors import CannotBuild
from modelmuster.nested import rebuilt
from modelmuster.numerics.reference import run_float64
from modelmuster.recipes.golden.loading import load
from modelmuster.recipes.golden.pack import ENTRY, INPUTS, OUTPUTS, Entry
from modelmuster.records import Stage

_LARGEST_SHARD = "2GB"


def record(subject: Subject, folder: Path, entering: Callable[[Stage], None]) -> None:
    """Save the subject. Its weights and inputs are rounded to bfloat16, so that half the bytes hold them without loss.

    The outputs are those of the model that is loaded from the folder again, since that is what others will do.

    Raises:
        CannotBuild: the class cannot be saved, or does not load what it has saved.
        ReferenceUnstable: two float64 runs differ, so that there is nothing to remember.
    """
    module = subject.module
    if not hasattr(module, "save_pretrained"):
        raise CannotBuild(f"{subject.recipe.model_class} has no save_pretrained")
    _round(module)
    entering(Stage.EXPORT)
    folder.mkdir(parents=True)
    copy.deepcopy(module).to(torch.bfloat16).save_pretrained(folder, max_shard_size=_LARGEST_SHARD)
    entering(Stage.LOAD)
    loaded = load(type(module), folder)
    if loaded.missing or loaded.unexpected:
        raise CannotBuild(f"it does not load what it has saved: {', '.join((*loaded.missing, *loaded.unexpected)[:3])}")
    entering(Stage.REFERENCE)
    given = {name: _rounded(value) for name, value in subject.inputs.items()}
    outputs = run_float64(loaded.module, given)
    arrays: dict[str, np.ndarray] = {}
    inputs = {name: _stored(value, name, arrays) for name, value in given.items()}
    tensors.save_file({name: _narrow(array) for name, array in arrays.items()}, folder / INPUTS)
    save_file({name: np.ascontiguousarray(output.array) for name, output in outputs.items()}, folder / OUTPUTS)
    dtypes = {name: output.dtype for name, output in outputs.items()}
    entry = Entry(recipe=subject.recipe, inputs=inputs, outputs=dtypes)
    (folder / ENTRY).write_bytes(msgspec.json.encode(entry))


def restored(stored: dict[str, Any], path: Path) -> Inputs:
    """The arguments of the call as they were; `path` holds their arrays."""
    found = tensors.load_file(path)
    arrays = {
        name: (value.float() if value.dtype is torch.bfloat16 else value).numpy() for name, value in found.items()
    }
    return {name: _restored(value, arrays) for name, value in stored.items()}


def _round(module: torch.nn.Module) -> None:
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(tensor.bfloat16())


def _rounded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _narrow(value).float().numpy() if value.dtype == np.float32 else value
    return rebuilt(value, _rounded)


def _narrow(array: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(array))
    return tensor.bfloat16() if array.dtype == np.float32 else tensor


def _stored(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[name] = np.ascontiguousarray(value)
        return {"array": name}
    if isinstance(value, list | tuple):
        return [_stored(member, f"{name}.{index}", arrays) for index, member in enumerate(value)]
    if isinstance(value, dict):
        return {"members": {key: _stored(member, f"{name}.{key}", arrays) for key, member in value.items()}}
    return value


def _restored(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict) and "members" in value:
        return {key: _restored(member, arrays) for key, member in value["members"].items()}
    if isinstance(value, dict):
        return arrays[value["array"]]
    return [_restored(member, arrays) for member in value] if isinstance(value, list) else value
