"""The folder of a pack: what it lists, and the hashes that it must have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec

from modelmuster.errors import UsageError
from modelmuster.records import Recipe, Record

T = TypeVar("T")

FORMAT = 2
"""2: inputs in two bytes each, dictionaries among them."""
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
INPUTS, OUTPUTS, ENTRY = "inputs.safetensors", "outputs.safetensors", "entry.json"
_BLOCK = 1 << 20


class Entry(Record, frozen=True, kw_only=True):
    """One model of the pack: how it was made, and the inputs that are no arrays."""

    recipe: Recipe
    inputs: dict[str, Any]
    """The arguments of the call; `{"array": NAME}` stands for an array of the inputs' file."""
    outputs: dict[str, str]
    """Outputs in the model's order with the dtype that it returned them in."""


class Manifest(Record, frozen=True, kw_only=True):
    """What a pack holds."""

    format: int = FORMAT
    created_at: str
    versions: dict[str, str]
    """Distributions that the outputs were computed with."""
    models: dict[str, str]
    """Folder by `model_type/ModelClass`."""
    omitted: dict[str, str] = msgspec.field(default_factory=dict)
    """Architectures that could not be recorded, with the reason."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack whose list of hashes is itself intact."""

    root: Path
    manifest: Manifest
    sums: Mapping[str, str]
    """SHA-256, in hex, of every file by its path in the pack."""
    digest: str
    """SHA-256 of the list of hashes: identifies the pack."""

    def folder(self, model_type: str, model_class: str) -> Path:
        """The folder of one model.

        Raises:
            UsageError: the pack has no such model.
        """
        try:
            return self.root / self.manifest.models[f"{model_type}/{model_class}"]
        except KeyError:
            raise UsageError(
                f"the golden pack {self.root} holds no {model_class} of {model_type}",
                hint=f"see: muster golden verify {self.root}",
            ) from None

    def verify(self, folders: Iterable[Path]) -> None:
        """Read every file of these folders and compare its hash.

        Raises:
            UsageError: a file is missing, was changed, or is none of the pack's.
        """
        for folder in folders:
            prefix = f"{folder.relative_to(self.root).as_posix()}/"
            wanted = {name for name in self.sums if name.startswith(prefix)}
            found = {path.relative_to(self.root).as_posix() for path in folder.rglob("*") if path.is_file()}
            for name in sorted(wanted | found):
                if name not in found:
                    raise _refused(self.root, f"{name} is missing")
                if name not in wanted:
                    raise _refused(self.root, f"{name} does not belong to it")
                if _sha256(self.root / name) != self.sums[name]:
                    raise _refused(self.root, f"{name} is not what was recorded")

    def folders(self) -> list[Path]:
        """The folder of every model."""
        return [self.root / name for name in self.manifest.models.values()]


def open_pack(root: Path) -> Pack:
    """Read the manifest, after its own hash; the models' files are verified when they are wanted.

    Raises:
        UsageError: no pack, a damaged one, or one that a newer version wrote.
    """
    try:
        listed = (root / SUMS).read_bytes()
        content = (root / MANIFEST).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{root} is no golden pack: {error.strerror or error}", hint=f"make one: muster golden record {root}"
        ) from error
    sums = {}
    for line in listed.decode(errors="replace").splitlines():
        found = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
        if found is None:
            raise _refused(root, f"{SUMS} holds a line that is no hash: {line[:80]!r}")
        sums[found[2]] = found[1]
    if hashlib.sha256(content).hexdigest() != sums.get(MANIFEST):
        raise _refused(root, f"{MANIFEST} is not what was recorded")
    manifest = _decode(content, Manifest, root / MANIFEST)
    if manifest.format > FORMAT:
        raise UsageError(
            f"{root} was written by a newer version (format {manifest.format}, known here {FORMAT})",
            hint="type: pip install --upgrade modelmuster",
        )
    for name in manifest.models.values():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise _refused(root, f"{MANIFEST} leads out of it: {name}")
    return Pack(root, manifest, sums, hashlib.sha256(listed).hexdigest())


def read_entry(folder: Path) -> Entry:
    """The entry of one model.

    Raises:
        UsageError: it cannot be read.
    """
    return _decode((folder / ENTRY).read_bytes(), Entry, folder / ENTRY)


def seal(root: Path, manifest: Manifest) -> None:
    """Write the manifest and the hash of every file of its models."""
    (root / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    paths = [root / MANIFEST]
    for name in manifest.models.values():
        paths += sorted(path for path in (root / name).rglob("*") if path.is_file())
    lines = [f"{_sha256(path)}  {path.relative_to(root).as_posix()}\n" for path in paths]
    (root / SUMS).write_text("".join(lines), encoding="utf-8")


def _decode(content: bytes, kind: type[T], path: Path) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _refused(root: Path, why: str) -> UsageError:
    return UsageError(
        f"the golden pack {root} is refused: {why}", hint="fetch it again, or make another: muster golden record DIR"
    )
