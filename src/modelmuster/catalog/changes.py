"""What differs between two catalogues: types added and removed, and what is said otherwise about those in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from modelmuster.catalog.contents import Catalog
from modelmuster.records import Architecture


@dataclass(frozen=True, slots=True)
class Change:
    """A type that both catalogues have, and what is said otherwise."""

    model_type: str
    fields: Mapping[str, tuple[Any, Any]]
    """Before and after, by field; for lists, only what was removed and what was added."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs."""

    old: str
    """Version of transformers."""
    new: str
    added: tuple[Architecture, ...]
    removed: tuple[Architecture, ...]
    changed: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def diff(old: Catalog, new: Catalog) -> Changes:
    """What changed from one catalogue to another."""
    return Changes(
        old=old.transformers,
        new=new.transformers,
        added=tuple(entry for entry in new if entry.model_type not in old),
        removed=tuple(entry for entry in old if entry.model_type not in new),
        changed=tuple(
            Change(entry.model_type, fields)
            for entry in new
            if entry.model_type in old and (fields := _fields(old.get(entry.model_type), entry))
        ),
    )


def _fields(old: Architecture, new: Architecture) -> dict[str, tuple[Any, Any]]:
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    changed: dict[str, tuple[Any, Any]] = {}
    for name, value in after.items():
        if before[name] == value:
            continue
        if isinstance(value, list | tuple):
            gone = [item for item in before[name] if item not in value]
            come = [item for item in value if item not in before[name]]
            if gone or come:
                changed[name] = (gone, come)
        else:
            changed[name] = (before[name], value)
    return changed
