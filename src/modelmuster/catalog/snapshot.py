"""A catalogue as a file: JSON lines, one architecture each, so that two versions compare as a plain diff.

The first line holds the format and the version. Fields that have their default value are left out. The same catalogue
always gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from modelmuster import atomic
from modelmuster.catalog.contents import Catalog, Source
from modelmuster.errors import UsageError
from modelmuster.records import Architecture

FORMAT = 1

SHIPPED = Path(__file__).with_name("snapshots")
"""One file per version of transformers that this package knows without introspection."""

_SUFFIX = ".jsonl"


class _Header(msgspec.Struct, frozen=True):
    format: int
    transformers: str


def encode(catalog: Catalog) -> bytes:
    """The catalogue as JSON lines."""
    lines: list[Any] = [_Header(FORMAT, catalog.transformers)]
    lines += [_without_defaults(entry) for entry in catalog.architectures]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def decode(data: bytes, source: Source) -> Catalog:
    """The catalogue that `encode` wrote.

    Raises:
        UsageError: the bytes are no catalogue, or one of a newer format.
    """
    first, *rest = data.splitlines() or [b""]
    try:
        header = msgspec.json.decode(first, type=_Header)
        if header.format != FORMAT:
            raise UsageError(
                f"the catalogue has format {header.format}, and this version reads format {FORMAT}",
                hint="make it again with: muster catalog snapshot",
            )
        read = msgspec.json.Decoder(Architecture).decode
        return Catalog(header.transformers, source, tuple(read(line) for line in rest))
    except msgspec.MsgspecError as error:
        raise UsageError(f"this is no catalogue: {error}", hint="make one with: muster catalog snapshot") from error


def read(path: Path, source: Source) -> Catalog:
    """The catalogue in a file.

    Raises:
        UsageError: there is no such file, or it holds no catalogue.
    """
    try:
        return decode(path.read_bytes(), source)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def write(catalog: Catalog, path: Path) -> None:
    """Put the catalogue in a file, whole or not at all.

    Raises:
        UsageError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, encode(catalog))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def shipped() -> dict[str, Path]:
    """Shipped snapshots by version of transformers, the newest first."""
    found = {path.name.removesuffix(_SUFFIX): path for path in SHIPPED.glob(f"*{_SUFFIX}")}
    return {version: found[version] for version in newest_first(found)}


def file_name(version: str, key: str = "") -> str:
    """What a snapshot of that version is called; `key` tells apart what different code made of it."""
    return f"{version}-{key}{_SUFFIX}" if key else f"{version}{_SUFFIX}"


def newest_first(versions: Iterable[str]) -> list[str]:
    """Versions from new to old; numbers compare as numbers."""
    return sorted(versions, key=lambda version: [int(part) for part in re.findall(r"\d+", version)], reverse=True)


def _without_defaults(entry: Architecture) -> dict[str, Any]:
    plain = msgspec.to_builtins(entry)
    defaults = {info.encode_name: info.default for info in msgspec.structs.fields(Architecture)}
    classes = [{key: value for key, value in made.items() if value} for made in plain["model_classes"]]
    kept = {name: value for name, value in plain.items() if value != defaults[name]}
    return kept | ({"model_classes": classes} if classes else {})
