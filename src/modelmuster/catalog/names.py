"""From names that people use to model types: other spellings, checkpoints, and names that are no type (any more)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from modelmuster.catalog.contents import Catalog
from modelmuster.catalog.loading import load
from modelmuster.errors import UnknownName, UsageError
from modelmuster.records import Architecture

_ALIASES = Path(__file__).with_name("aliases.toml")


@dataclass(frozen=True, slots=True)
class Alias:
    """What is known about a name that is no model type, or one without a model."""

    name: str
    reason: str
    model_type: str | None = None
    """The type that runs it, where there is one."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name stands for."""

    name: str
    model_type: str | None
    """None where nothing in the catalogue runs it; the reason says why."""
    reason: str


def resolve(name: str, catalog: Catalog | None = None) -> Resolution:
    """The model type that a name stands for, or the reason why there is none.

    Raises:
        UnknownName: neither a type nor a name that is known; the error names the nearest ones.
    """
    catalog = load() if catalog is None else catalog
    spellings = {_spelling(entry.model_type): entry for entry in catalog}
    entry = catalog.get(name) if name in catalog else spellings.get(_spelling(name))
    alias = aliases().get(_spelling(name))
    if entry is not None and (alias is None or entry.default_class is not None):
        found = "a model type" if entry.model_type == name else f"another spelling of {entry.model_type}"
        return Resolution(name, entry.model_type, found if entry.default_class is not None else _classless(entry))
    if alias is None:
        known = [*(entry.model_type for entry in catalog), *(alias.name for alias in aliases().values())]
        raise UnknownName("architecture", name, known, see="muster catalog")
    if alias.model_type is not None and alias.model_type not in catalog:
        lacking = f"{alias.reason}; transformers {catalog.transformers} has no type {alias.model_type}"
        return Resolution(name, None, lacking)
    return Resolution(name, alias.model_type, alias.reason)


def _classless(entry: Architecture) -> str:
    return f"the model type {entry.model_type}, which has no model to run: {entry.note or 'no class is known'}"


@cache
def aliases() -> Mapping[str, Alias]:
    """Every alias by its normalised spelling.

    Raises:
        UsageError: an entry without a reason, or with a field that is not known.
    """
    found = {}
    for name, entry in tomllib.loads(_ALIASES.read_text(encoding="utf-8")).items():
        if not entry.get("reason") or set(entry) - {"reason", "type"}:
            raise UsageError(f"{_ALIASES}: {name!r} needs a reason, may have a type, and nothing else")
        found[_spelling(name)] = Alias(name, entry["reason"], entry.get("type"))
    return found


def _spelling(name: str) -> str:
    """A name without case, and without the signs between its words."""
    return re.sub(r"[-_. ]+", "", name.casefold())
