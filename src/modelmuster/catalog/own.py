"""Architectures that are no part of transformers: packages that name theirs under `modelmuster.architectures`.

The entry point's name is the model type; what it points to is the package that holds `configuration_*.py` and
`modeling_*.py` and whose import registers the config with transformers.
"""

from __future__ import annotations

import hashlib
import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from modelmuster import dependencies
from modelmuster.catalog import snapshot
from modelmuster.catalog.contents import Catalog
from modelmuster.errors import UsageError
from modelmuster.records import Architecture, Family
from modelmuster.settings import user_cache

if TYPE_CHECKING:
    from modelmuster.catalog.facts import TypeFacts

GROUP = "modelmuster.architectures"


@cache
def points() -> dict[str, EntryPoint]:
    """Entry point by model type; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


@cache
def packages() -> tuple[str, ...]:
    """The packages that hold own architectures, such as `my_model`."""
    return tuple(dict.fromkeys(point.module for point in points().values()))


def is_own(module: str) -> bool:
    """Whether a module belongs to an own architecture."""
    return any(module == package or module.startswith(f"{package}.") for package in packages())


def folders(package: str) -> list[Path]:
    """Where the code of a package lies; nowhere for one that is not installed."""
    found = find_spec(package)
    return [Path(folder) for folder in (found.submodule_search_locations or ())] if found else []


def code(model_type: str) -> str:
    """SHA-256 over the code of an own architecture; empty for one of the library.

    It stands for a version: an edited model is another model, and nothing that was remembered of it counts.
    """
    if model_type not in points():
        return ""
    digest = hashlib.sha256()
    for folder in folders(points()[model_type].module):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def joined(known: Catalog, key: str) -> Catalog:
    """The library's catalogue with the own architectures; one of the same name replaces the library's.

    Args:
        known: the library's.
        key: of the code that makes a catalogue.
    """
    if not points():
        return known
    own = _architectures(known.transformers, key)
    names = {entry.model_type for entry in own}
    kept = [entry for entry in known if entry.model_type not in names]
    return Catalog(
        known.transformers,
        known.source,
        tuple(sorted([*kept, *own], key=lambda entry: entry.model_type.casefold())),
    )


def _architectures(transformers: str, key: str) -> tuple[Architecture, ...]:
    missing = [name for name in ("torch", "transformers") if not dependencies.is_installed(name)]
    if missing:
        return tuple(_unread(name, f"it cannot be read without {' and '.join(missing)}") for name in points())
    said = "\0".join((transformers, key, *(f"{name}={point.value}={code(name)}" for name, point in points().items())))
    path = user_cache() / "catalog" / f"own-{hashlib.sha256(said.encode()).hexdigest()[:16]}.jsonl"
    try:
        return snapshot.read(path, "cache").architectures
    except UsageError:  # not kept yet, or torn
        pass
    found = _introspected()
    if all(entry.config_class for entry in found):
        try:
            snapshot.write(Catalog(transformers, "cache", found), path)
        except UsageError:  # a full disk costs the memory, not the result
            return found
    return found


def facts(names: tuple[str, ...]) -> dict[str, TypeFacts]:
    """What introspection observes about own types, and about the library's types inside them.

    Raises:
        Exception: whatever the import of a package raises.
    """
    from transformers import CONFIG_MAPPING

    from modelmuster.catalog import gather

    for name in names:
        importlib.import_module(points()[name].module)
    return gather.gather_own({name: CONFIG_MAPPING[name] for name in names})


def _introspected() -> tuple[Architecture, ...]:
    from modelmuster.catalog import library
    from modelmuster.catalog.judge import NOT_IMPORTED, judge

    found: list[Architecture] = []
    for name in points():
        try:
            seen = facts((name,))
        except Exception as error:  # noqa: BLE001 - a package of somebody else may raise anything; it becomes a note
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            found.append(_unread(name, f"{NOT_IMPORTED}: {said}"))
        else:
            found.append(judge(seen[name], seen, library.distribution_of).architecture)
    return tuple(found)


def _unread(name: str, why: str) -> Architecture:
    return Architecture(
        model_type=name,
        config_class="",
        module=points()[name].module,
        family=Family.OTHER,
        top_level=True,
        note=f"{points()[name].value}: {why}",
    )
