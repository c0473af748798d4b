"""Where blueprints come from: the shipped snapshot, a cache, or made anew."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from modelmuster import atomic
from modelmuster.catalog.loading import installed_version
from modelmuster.errors import MissingDependency
from modelmuster.generate import shipped
from modelmuster.generate.blueprint import Blueprint, decode, encode
from modelmuster.generate.freshness import code_key, data_key
from modelmuster.generate.workshop import Order, build
from modelmuster.runs.environment import usable_cores
from modelmuster.settings import Home

Key: TypeAlias = tuple[str, str]
"""Model type and class."""

Advance: TypeAlias = Callable[[Blueprint], None]


def find(
    orders: Sequence[Order], home: Home, advance: Advance | None = None, *, fresh: bool = False
) -> dict[Key, Blueprint]:
    """The blueprint of each class; those that nothing is known of are made now.

    Args:
        orders: The classes.
        home: Whose cache is used.
        advance: Called with each blueprint that had to be made.
        fresh: Whether to leave a snapshot aside that is behind the code.

    Raises:
        MissingDependency: some must be made, and torch is not installed.
    """
    snapshot = shipped.current()
    if snapshot is not None and fresh and snapshot.is_behind:
        snapshot = None
    found: dict[Key, Blueprint] = {}
    missing: dict[Key, Order] = {}
    for order in orders:
        known = (snapshot and snapshot.find(order)) or _cached(home, order)
        if known is None:
            missing[_key(order)] = order
        else:
            found[_key(order)] = known
    if missing and (installed_version() is None or importlib.util.find_spec("torch") is None):
        raise MissingDependency("torch", purpose="to build what no shipped recipe is known of", extra="torch")
    if missing and importlib.util.find_spec("pytest") is None:
        raise MissingDependency("pytest", purpose="to try tests on what is built", extra="generate")
    for made in build(missing.values(), slots=usable_cores(), cache_dir=home.cache) if missing else ():
        key = (made.model_type, made.model_class)
        found[key] = made
        _keep(home, missing[key], made)
        if advance is not None:
            advance(made)
    return found


def _key(order: Order) -> Key:
    return order.architecture.model_type, order.model_class


def _cache_path(home: Home, order: Order) -> Path:
    text = "\0".join((code_key(), data_key(order.architecture), installed_version() or "", *_key(order)))
    return home.cache / "blueprints" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def _cached(home: Home, order: Order) -> Blueprint | None:
    try:
        return decode(_cache_path(home, order).read_bytes())
    except (OSError, ValueError):
        return None


def _keep(home: Home, order: Order, made: Blueprint) -> None:
    """Remember it, but no failure: its reason may be gone tomorrow. A full disk costs the memory, not the result."""
    if made.reason:
        return
    home.create()
    path = _cache_path(home, order)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, encode(made))
    except OSError:
        return
