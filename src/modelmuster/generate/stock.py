"""Where blueprints come from: the shipped snapshot where it is true of what is installed, a cache, or made anew."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import msgspec

from modelmuster import atomic
from modelmuster.catalog.loading import installed_version
from modelmuster.errors import InfrastructureError, MissingDependency, UsageError
from modelmuster.generate.blueprint import FORMAT, Blueprint, encode
from modelmuster.generate.workshop import Order, build
from modelmuster.recipes.identity import source_hash
from modelmuster.runs.environment import usable_cores
from modelmuster.settings import Home

SHIPPED = Path(__file__).with_name("snapshots")
"""One file per version of transformers: a line that says what it was made with, then one line per class."""

MAKERS = ("blueprint.py", "expressions.py", "survey.py")
"""The code that decides what a blueprint holds, besides the recipes and the checks."""

Key: TypeAlias = tuple[str, str]
"""Model type and class."""

Advance: TypeAlias = Callable[[Blueprint], None]


class Origin(msgspec.Struct, frozen=True):
    """What a snapshot was made with."""

    format: int
    transformers: str
    code: str


def find(orders: Sequence[Order], home: Home, advance: Advance | None = None) -> dict[Key, Blueprint]:
    """The blueprint of each class; those that nothing is known of are made now.

    Args:
        orders: The classes.
        home: Whose cache is used.
        advance: Called with each blueprint that had to be made.

    Raises:
        MissingDependency: some must be made, and torch is not installed.
    """
    shipped = _shipped()
    found: dict[Key, Blueprint] = {}
    missing: list[Order] = []
    for order in orders:
        key = (order.architecture.model_type, order.model_class)
        known = shipped.get(key) or _cached(home, key)
        if known is None or (known.missing and importlib.util.find_spec(known.missing.replace("-", "_"))):
            missing.append(order)
        else:
            found[key] = known
    if missing and (installed_version() is None or importlib.util.find_spec("torch") is None):
        raise MissingDependency("torch", purpose="to build what no shipped recipe is known of", extra="torch")
    for made in build(missing, slots=usable_cores(), cache_dir=home.cache) if missing else ():
        found[made.model_type, made.model_class] = made
        _keep(home, made)
        if advance is not None:
            advance(made)
    return found


def read_snapshot(path: Path) -> tuple[Origin, dict[Key, Blueprint]]:
    """A snapshot, whatever it was made with.

    Raises:
        InfrastructureError: it is damaged.
    """
    try:
        first, *lines = path.read_bytes().splitlines()
        origin = msgspec.json.decode(first, type=Origin)
        entries = [msgspec.json.decode(line, type=Blueprint) for line in lines] if origin.format == FORMAT else []
    except (ValueError, OSError) as error:
        raise InfrastructureError(f"cannot read the shipped recipes {path}: {error}") from error
    return origin, {(entry.model_type, entry.model_class): entry for entry in entries}


def write_snapshot(entries: Iterable[Blueprint], path: Path) -> None:
    """Write a snapshot, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    transformers = installed_version() or ""
    lines = [msgspec.json.encode(Origin(FORMAT, transformers, code_key())), *map(encode, entries)]
    try:
        _write(path, b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


@cache
def code_key() -> str:
    """A hash over all code and data that decides what blueprints hold."""
    digest = hashlib.sha256(source_hash().encode())
    here = Path(__file__).parent
    for path in [*map(here.joinpath, MAKERS), *sorted(here.parent.joinpath("checks").glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _shipped() -> dict[Key, Blueprint]:
    """The snapshot of the installed version, or of the only one where none is installed; empty where it is stale."""
    version = installed_version()
    paths = sorted(SHIPPED.glob("*.jsonl"))
    path = SHIPPED / f"{version}.jsonl" if version else next(iter(paths), None)
    if path is None or not path.exists():
        return {}
    origin, entries = read_snapshot(path)
    return entries if origin.code == code_key() else {}


def _cache_path(home: Home, key: Key) -> Path:
    text = "\0".join((code_key(), installed_version() or "", *key))
    return home.cache / "blueprints" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def _cached(home: Home, key: Key) -> Blueprint | None:
    try:
        return msgspec.json.decode(_cache_path(home, key).read_bytes(), type=Blueprint)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(home: Home, made: Blueprint) -> None:
    """Remember it, but no failure: its reason may be gone tomorrow. A full disk costs the memory, not the result."""
    if made.reason:
        return
    home.create()
    try:
        _write(_cache_path(home, (made.model_type, made.model_class)), encode(made))
    except OSError:
        return


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.replace(path, content)
