"""Whether a blueprint is what would be made now: hashes over the code and the data that decide it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from modelmuster import catalog
from modelmuster.catalog import own
from modelmuster.recipes import overrides
from modelmuster.records import Architecture

MAKERS = ("blueprint.py", "expressions.py", "survey.py")
"""The code that decides what the fields of a blueprint mean."""

_HERE = Path(__file__).parent


@cache
def makers_key() -> str:
    """A hash over the code that reads a model and writes down its blueprint."""
    return _hash(map(_HERE.joinpath, MAKERS))


@cache
def code_key() -> str:
    """A hash over all code that has a say in a blueprint: the makers', the recipes' and the checks'."""
    package = _HERE.parent
    return _hash(
        [
            *map(_HERE.joinpath, MAKERS),
            *sorted(package.joinpath("recipes").rglob("*.py")),
            *sorted(package.joinpath("checks").glob("*.py")),
        ]
    )


def data_key(architecture: Architecture) -> str:
    """A hash over what holds for one architecture alone: overrides, and its code where it is no part of transformers.

    An override of any type of the package counts, since classes may be made for the config of another type.
    """
    types = {architecture.model_type, *architecture.part_of, *_types_by_module().get(architecture.module, ())}
    found = {name: table for name, table in overrides.load().items() if name.partition(":")[0] in types}
    code = own.code(architecture.model_type)
    if not (found or code):
        return ""
    return hashlib.sha256(msgspec.json.encode([found, code], order="deterministic")).hexdigest()[:16]


@cache
def _types_by_module() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in catalog.load():
        found.setdefault(entry.module, []).append(entry.model_type)
    return found


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(_HERE.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
