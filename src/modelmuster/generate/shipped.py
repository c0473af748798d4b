"""The shipped snapshot of blueprints: one file per version of transformers, which says what it was made of.

One that was made before the code of this layer, the recipes or checks changed still describes models that this
transformers builds: it is used, and known to be behind. A blueprint whose override has changed since is not used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from modelmuster import atomic
from modelmuster.catalog.loading import installed_version
from modelmuster.errors import InfrastructureError, UsageError
from modelmuster.generate.blueprint import FORMAT, Blueprint, decode, encode
from modelmuster.generate.freshness import code_key, data_key
from modelmuster.generate.workshop import Order

FOLDER = Path(__file__).with_name("snapshots")
"""A file holds a line that says what it was made of, then one line per class."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot was made of."""

    format: int
    transformers: str
    code: str
    """Hash of the oldest code that any of it was made by: where it differs from today's, the snapshot is behind."""
    data: dict[str, str] = {}
    """Hash of what holds for one type alone, by model type, where there is any: see `freshness.data_key`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was read."""

    origin: Origin
    entries: Mapping[tuple[str, str], Blueprint]
    """By model type and class."""

    @property
    def is_behind(self) -> bool:
        """Whether the code of recipes or checks has changed since."""
        return self.origin.code != code_key()

    def find(self, order: Order) -> Blueprint | None:
        """The blueprint of a class; None where there is none, or one that is no longer true."""
        entry, model_type = order.architecture, order.architecture.model_type
        if self.origin.data.get(model_type, "") != data_key(entry):
            return None
        found = self.entries.get((model_type, order.model_class))
        # What a missing package stood in the way of is to be tried again once the package is there.
        came = found and found.missing and importlib.util.find_spec(found.missing.replace("-", "_"))
        return None if came else found


@cache
def current() -> Snapshot | None:
    """The snapshot of the installed version, or of the only one where none is installed.

    Raises:
        InfrastructureError: it is damaged.
    """
    version = installed_version()
    path = FOLDER / f"{version}.jsonl" if version else next(iter(sorted(FOLDER.glob("*.jsonl"))), None)
    return read(path) if path is not None and path.exists() else None


def read(path: Path) -> Snapshot:
    """A snapshot, whatever it was made of.

    Raises:
        InfrastructureError: it is damaged.
    """
    try:
        first, *lines = path.read_bytes().splitlines()
        origin = msgspec.json.decode(first, type=Origin)
        entries = [decode(line) for line in lines] if origin.format == FORMAT else []
    except (ValueError, OSError) as error:
        raise InfrastructureError(f"cannot read the shipped recipes {path}: {error}") from error
    return Snapshot(origin, {(entry.model_type, entry.model_class): entry for entry in entries})


def write(made: Mapping[Order, Blueprint], path: Path) -> None:
    """Write a snapshot, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    data = {order.architecture.model_type: data_key(order.architecture) for order in made}
    origin = Origin(
        format=FORMAT,
        transformers=installed_version() or "",
        code=code_key(),
        data={model_type: key for model_type, key in data.items() if key},
    )
    lines = [msgspec.json.encode(origin), *map(encode, made.values())]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
