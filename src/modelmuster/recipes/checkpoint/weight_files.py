"""The weight files of a checkpoint: safetensors only, looked at by their headers before any memory is asked for."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
from dataclasses import dataclass
from pathlib import Path

from modelmuster.errors import CannotBuild

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_OTHER_FRAMEWORKS = ("*.h5", "*.msgpack", "*.gguf", "*.onnx")


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """Readable weight files, in the order of their names."""

    paths: tuple[Path, ...]
    tensors: int
    elements: int
    """Numbers in all tensors."""

    def content_hash(self) -> str:
        """SHA-256, in hex, over the names and contents of all files."""
        digest = hashlib.sha256()
        for path in self.paths:
            with path.open("rb") as file:
                digest.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()};".encode())
        return digest.hexdigest()


def weight_files(folder: Path, model_class: str) -> WeightFiles:
    """Find the files and read their headers.

    Args:
        folder: of the checkpoint.
        model_class: named in what to type where weights are pickled.

    Raises:
        CannotBuild: there are none, they are pickled, some are missing, or one is damaged.
    """
    if (folder / INDEX).is_file():
        paths = _shards(folder)
    elif (folder / SINGLE).is_file():
        paths = (folder / SINGLE,)
    else:
        raise _why_none(folder, model_class)
    sizes = [size for path in paths for size in _sizes(path)]
    return WeightFiles(paths, len(sizes), sum(sizes))


def _shards(folder: Path) -> tuple[Path, ...]:
    try:
        names = sorted(set(json.loads((folder / INDEX).read_bytes())["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CannotBuild(f"{INDEX} is no index of weights: {type(error).__name__}: {error}") from error
    strange = [name for name in names if not isinstance(name, str) or Path(name).name != name]
    if strange or not names:
        raise CannotBuild(f"{INDEX} names no files of its own folder: {strange}")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CannotBuild(
            f"{len(missing)} of {len(names)} weight files are missing: {', '.join(missing)}",
            hint="download or save the checkpoint again",
        )
    return tuple(folder / name for name in names)


def _sizes(path: Path) -> list[int]:
    """Elements of each tensor, from the header; the library checks that the file is as long as the header says."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return [math.prod(file.get_slice(name).get_shape()) for name in file.keys()]  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise CannotBuild(
            f"{path.name} is damaged or no safetensors file: {error}", hint="download or save the checkpoint again"
        ) from error


def _why_none(folder: Path, model_class: str) -> CannotBuild:
    pickled = sorted(path.name for pattern in _PICKLED for path in folder.glob(pattern))
    others = sorted(path.name for pattern in (*_OTHER_FRAMEWORKS, "*.safetensors") for path in folder.glob(pattern))
    if pickled:
        script = (
            f"from transformers import {model_class} as M; M.from_pretrained({str(folder)!r}, use_safetensors=False)"
            f".save_pretrained({f'{folder}-safetensors'!r})"
        )
        return CannotBuild(
            f"the weights are pickled ({', '.join(pickled[:3])}): loading them may run any code that they hold, "
            "so only safetensors are loaded",
            hint=f"if you trust them, convert them: python -c {shlex.quote(script)}",
        )
    if others:
        return CannotBuild(f"there is no {SINGLE}, but {', '.join(others[:3])}", hint="convert it with save_pretrained")
    return CannotBuild(
        f"there are no weights: neither {SINGLE} nor {INDEX}", hint="download or save the checkpoint again"
    )
