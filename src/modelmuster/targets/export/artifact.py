"""What an export leaves behind: a folder with the ONNX file and a manifest, and how arrays get in and out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from modelmuster.contracts import Inputs, Output, Outputs, Subject
from modelmuster.errors import Unsupported
from modelmuster.records import Record

MODEL = "model.onnx"
MANIFEST = "manifest.json"


class Port(Record, frozen=True, kw_only=True):
    """One input or output of the graph."""

    name: str
    """In the ONNX file."""
    path: str
    """In the model's own call or answer, dotted: `pixel_values`, `encoder.hidden_states.0`."""
    dtype: str
    shape: tuple[int | str, ...]
    """A word for an axis that the exporter left open: a result whose size depends on the data."""


class Manifest(Record, frozen=True, kw_only=True):
    """What a reader of the ONNX file must know."""

    route: str
    """The exporter that worked."""
    setbacks: dict[str, str]
    """Exporters that were tried before it, with what they said."""
    dtype: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    """Results only: the caches that an exporter adds are in the file, not here."""
    constants: dict[str, Any]
    """Arguments that are no tensors, by path: the graph has them built in."""
    corrected: tuple[str, ...] = ()
    """Operators that were translated by us, since the exporter's own translation is wrong."""
    prepared: bool
    """Whether arguments are first prepared as transformers' exporters do, which computes some from others."""
    opset: int
    versions: dict[str, str]
    files: dict[str, str]
    """SHA-256, in hex, of each file of the folder but this one."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """An exported model on the disk."""

    folder: Path
    manifest: Manifest
    keeper: Any = None
    """Keeps the folder alive where there is no cache."""
    from_cache: bool = False
    """Whether it was there already."""

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL

    @property
    def size(self) -> int:
        """Bytes of graph and weights on the disk."""
        return sum((self.folder / name).stat().st_size for name in self.manifest.files)

    @property
    def is_open(self) -> bool:
        """Whether some axis of its inputs was left open; that other sizes run is not proved by it."""
        return any(isinstance(size, str) for port in self.manifest.inputs for size in port.shape)

    def feed(self, subject: Subject, inputs: Inputs) -> dict[str, np.ndarray]:
        """The inputs as the graph takes them, by ONNX name.

        Raises:
            Unsupported: another shape, or another value of what is built into the graph.
        """
        from modelmuster.targets.export.arguments import leaves

        tensors, constants = leaves(subject.module, inputs, self.manifest.dtype, prepared=self.manifest.prepared)
        if constants != self.manifest.constants:
            changed = [name for name, value in self.manifest.constants.items() if constants.get(name) != value]
            raise Unsupported(f"the graph was exported with other values of {', '.join(changed or constants)}")
        fed: dict[str, np.ndarray] = {}
        for port in self.manifest.inputs:
            if port.path not in tensors:
                raise Unsupported(f"the graph takes {port.path}, which these inputs lack")
            array = tensors[port.path].numpy()
            if not _takes(port, array.shape):
                raise Unsupported(f"the graph was exported for {port.path} of shape {port.shape}, not {array.shape}")
            fed[port.name] = array
        return fed

    def outputs(self, returned: Mapping[str, np.ndarray]) -> Outputs:
        """What the graph returned, by the model's own names."""
        return {
            port.path: Output(returned[port.name], str(returned[port.name].dtype)) for port in self.manifest.outputs
        }

    @property
    def route(self) -> str:
        """The exporter that worked and those that did not, in one sentence, for `Evidence.route`."""
        failed = "".join(f"; {name} failed: {said}" for name, said in self.manifest.setbacks.items())
        ours = f" with our own {', '.join(self.manifest.corrected)}" if self.manifest.corrected else ""
        return f"ONNX by {self.manifest.route}{ours}{failed}"


def _takes(port: Port, shape: tuple[int, ...]) -> bool:
    """Whether arrays of this shape fit the input; an axis that has a word is open."""
    pairs = zip(port.shape, shape, strict=False)
    return len(port.shape) == len(shape) and all(isinstance(own, str) or own == size for own, size in pairs)


def write(folder: Path, manifest: Manifest) -> Artifact:
    """Complete a folder whose files are written with its manifest."""
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return Artifact(folder, manifest)


def read(folder: Path) -> Artifact | None:
    """The artifact of a folder; None where there is none, or where a file is not what was written."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        intact = all(sha256(folder / name) == digest for name, digest in manifest.files.items())
    except (OSError, msgspec.DecodeError):
        return None
    return Artifact(folder, manifest, from_cache=True) if intact and MODEL in manifest.files else None


def ports(values: Iterable[Any], paths: Mapping[str, str]) -> tuple[Port, ...]:
    """Those values of the graph that have a path, by their name in the graph."""
    return tuple(
        Port(
            name=value.name,
            path=paths[value.name],
            dtype=value.dtype.name.lower(),
            shape=tuple(dim if isinstance(dim, int) else str(dim) for dim in value.shape or ()),
        )
        for value in values
        if value.name in paths
    )


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
