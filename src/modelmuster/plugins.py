"""Entry points as typed, lazy registries. Built-in targets and checks come through the same door as a third party's.

A plug-in that cannot be loaded is a fact, kept in `Registry.broken` and shown by `muster doctor`; the run goes on.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, TypeVar

from modelmuster import dependencies
from modelmuster.contracts import Check, Executor, Target
from modelmuster.errors import MusterError, UnknownName

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plug-in that could not be loaded."""

    group: str
    name: str
    distribution: str
    error: str
    """The last line of the exception."""
    traceback: str
    missing: str | None = None
    """The optional package whose absence is the only reason, so that it is not broken but waits to be installed."""


class Registry(Generic[T]):
    """The plug-ins of one entry-point group, loaded on first use."""

    def __init__(self, group: str, kind: str, contract: type[T]) -> None:
        self.group, self.kind, self.contract = group, kind, contract
        self.broken: dict[str, BrokenPlugin] = {}
        self._loaded: dict[str, T] = {}
        self._points: dict[str, EntryPoint] = {}
        for point in entry_points(group=group):
            ours = _distribution(point) == dependencies.OURS
            if point.name not in self._points or not ours:
                # A third party's plug-in replaces a built-in one of the same name.
                self._points[point.name] = point

    def names(self) -> list[str]:
        """Every registered name, in alphabetical order, whether or not it loads."""
        return sorted(self._points)

    def get(self, name: str) -> T:
        """The plug-in of that name.

        Raises:
            UnknownName: nothing is registered under it, or it could not be loaded.
            MissingDependency: it could not be loaded because an optional package is not installed.
        """
        if name not in self._points:
            raise UnknownName(self.kind, name, self._points, see="muster doctor")
        plugin = self._load(name)
        if plugin is None:
            broken = self.broken[name]
            if broken.missing:
                raise dependencies.missing(broken.missing, purpose=f"the {self.kind} {name}")
            error = UnknownName(self.kind, name, (), see="muster doctor --plugins")
            error.message = f"the {self.kind} {name!r} of {broken.distribution} does not load: {broken.error}"
            raise error
        return plugin

    def all(self) -> Iterator[T]:
        """Every plug-in that loads, by name."""
        for name in self.names():
            plugin = self._load(name)
            if plugin is not None:
                yield plugin

    def foreign(self) -> list[str]:
        """Names that other distributions registered."""
        return [name for name in self.names() if not self.is_ours(name)]

    def load_ours(self) -> None:
        """Load the plug-ins of this very distribution."""
        for name in self.names():
            if self.is_ours(name):
                self._load(name)

    def is_ours(self, name: str) -> bool:
        """Whether this very distribution registered it; False for a name that nobody did."""
        return name in self._points and self.distribution(name) == dependencies.OURS

    def distribution(self, name: str) -> str:
        """Name of the distribution that registered it."""
        return _distribution(self._points[name])

    def module(self, name: str) -> str:
        """The module that it is in; empty for a name that nobody registered."""
        return self._points[name].module if name in self._points else ""

    def written(self, name: str, attribute: str) -> str | None:
        """A text that a plug-in's class gives to one of its attributes, read from its source: nothing is imported.

        None where the source has none, as where the class inherits it.
        """
        point = self._points[name]
        try:
            spec = find_spec(point.module)
            lines = ast.parse(Path(spec.origin).read_bytes()).body if spec and spec.origin else []
        except (ImportError, OSError, SyntaxError, ValueError):
            return None
        for found in lines:
            if isinstance(found, ast.ClassDef) and found.name == point.attr:
                for line in found.body:
                    match line:
                        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Constant(value=str(text))):
                            if target == attribute:
                                return text
        return None

    def _load(self, name: str) -> T | None:
        if name in self._loaded:
            return self._loaded[name]
        if name in self.broken:
            return None
        point = self._points[name]
        try:
            made = point.load()
            plugin = made() if isinstance(made, type) else made
            found = getattr(plugin, "name", None)
            if not isinstance(plugin, self.contract):
                raise TypeError(f"{point.value} is not a {self.contract.__name__}: see modelmuster.contracts")
            if found != name:
                raise ValueError(f"{point.value} calls itself {found!r}, its entry point {name!r}")
        except Exception as error:  # noqa: BLE001 - a third party's import may raise anything; it is kept and shown
            self.broken[name] = BrokenPlugin(
                self.group,
                name,
                _distribution(point),
                f"{type(error).__name__}: {error}",
                traceback.format_exc(),
                dependencies.lacking(error),
            )
            return None
        self._loaded[name] = plugin
        return plugin


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


@cache
def targets() -> Registry[Target]:
    """Runtimes on devices."""
    return Registry("modelmuster.targets", "target", Target)  # type: ignore[type-abstract]


@cache
def checks() -> Registry[Check]:
    """Questions."""
    return Registry("modelmuster.checks", "check", Check)  # type: ignore[type-abstract]


def questions(names: Iterable[str]) -> dict[str, str]:
    """What these checks ask, by name; without those that are not installed or do not load.

    Most checks import torch, which takes seconds: where the source tells the question, none of them is imported.
    """
    registry = checks()
    asked = {}
    for name in sorted(set(names) & set(registry.names())):
        try:
            asked[name] = registry.written(name, "question") or registry.get(name).question
        except MusterError:
            continue  # `muster doctor` tells why it does not load
    return asked


@cache
def executors() -> Registry[Executor]:
    """Ways to bring cells to processes."""
    return Registry("modelmuster.executors", "executor", Executor)  # type: ignore[type-abstract]


def broken_plugins() -> list[BrokenPlugin]:
    """Every plug-in that does not load, those that only wait for a package left out; loads all of them to find out."""
    return [broken for broken in _not_loading() if broken.missing is None]


def registries() -> tuple[Registry[Target], Registry[Check], Registry[Executor]]:
    """All of them."""
    return targets(), checks(), executors()


def waiting_plugins() -> list[BrokenPlugin]:
    """Every plug-in that will load once the optional package `missing` is installed."""
    return [broken for broken in _not_loading() if broken.missing is not None]


def _not_loading() -> list[BrokenPlugin]:
    found: list[BrokenPlugin] = []
    for registry in registries():
        for _ in registry.all():
            pass
        found.extend(registry.broken.values())
    return found
