"""The search: config, model and inputs that run together, found rung by rung and remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from torch import nn

from modelmuster.errors import CannotBuild, NoInputs, Unavailable
from modelmuster.numerics.tensors import to_numpy
from modelmuster.recipes import identity, overrides, scales, weights
from modelmuster.recipes.build import build_config, build_module, count_parameters, describe, run_once
from modelmuster.recipes.classes import class_arguments
from modelmuster.recipes.configs import config_class, default_config, missing_distribution, model_class, needs
from modelmuster.recipes.inputs import Layout, layouts
from modelmuster.recipes.inputs.apart import apart
from modelmuster.recipes.routes import Route, Routes, route_key
from modelmuster.recipes.shrink import shrink
from modelmuster.recipes.shrink.ladder import LADDER
from modelmuster.recipes.shrink.repairs import fill_missing
from modelmuster.recipes.subject import TorchSubject
from modelmuster.records import Applied, Architecture, Modality, Recipe, Scale, Stage

SEARCH_CPU_S = 20.0
"""CPU seconds that a search may use; what was found by then is taken."""

LAYOUTS_AFTER_FIRST_RUNG = 4
"""Input layouts tried on later rungs: those that were sensible at all come first."""

MOST_PARAMETERS = 50_000_000
"""A tiny model that is larger after relaxation is no tiny model."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one attempt failed, and how far it came."""

    route: Route
    stage: int
    """0 config, 1 construction, 2 forward."""
    error: Exception


@dataclass(frozen=True, slots=True)
class Built:
    """A model that was constructed, before any inputs."""

    route: Route
    arguments: dict[str, Any]
    applied: tuple[Applied, ...]
    module: nn.Module


@dataclass(frozen=True, slots=True)
class Found:
    """A model with inputs that run."""

    built: Built
    layout: Layout
    inputs: dict[str, Any]


@dataclass(slots=True)
class Search:
    """One search for one class of one architecture."""

    architecture: Architecture
    class_name: str
    scale: Scale
    seed: int
    entering: Callable[[Stage], None]
    failures: list[Failure] = field(default_factory=list)
    partial: Found | None = None
    _started: float = field(default_factory=time.process_time)
    _model_class: Any = None
    _config_class: Any = None
    _default: Any = None
    _override: overrides.Override | None = None

    def resolve(self) -> None:
        """Import the classes and make the default config.

        Raises:
            CannotBuild, Unavailable: see `configs`.
        """
        self.entering(Stage.BUILD)
        try:
            self._model_class = model_class(self.architecture, self.class_name)
            self._config_class = config_class(self.architecture, self._model_class)
            self._override = overrides.find(self.architecture, self.class_name, self._config_class.model_type)
            overridden: dict[str, Any] = {}
            if self._override:
                overrides.apply(self._override, overridden)
            parts = self._override.parts if self._override else None
            self._default = default_config(self._config_class, self.architecture, overridden, parts)
        except ImportError as error:
            raise self._unavailable(error) or CannotBuild(describe(error)) from error

    def routes(self) -> Iterator[Route]:
        """Where to look, in order: each rung of the ladder as it is, then with missing fields filled."""
        rungs = range(len(LADDER)) if self.scale is Scale.TINY else range(1)
        for rung in rungs:
            for repaired in (False, True):
                yield Route(rung=rung, repaired=repaired, layout=None, accepted=False)

    def run(self, routes: Iterator[Route]) -> Found | None:
        """Follow the routes until inputs feed every modality, else until the budget is spent.

        Raises:
            Unavailable: construction needs a distribution that is not installed.
            TooLarge: at scale `default`, the weights do not fit in memory.
        """
        for route in routes:
            built = self._build(route)
            found = self._feed(built) if built else None
            if found:
                return found
            if self._spent():
                break
        return self.partial

    def most_telling(self) -> Failure | None:
        """The failure that came furthest; of several the first, because the first rung changes the least."""
        return max(self.failures, key=lambda failure: failure.stage, default=None)

    def apart(self, module: nn.Module) -> dict[Modality, str]:
        """Modalities that the model refuses in one call with the others, each with the reason."""
        said = dict.fromkeys(self._override.apart, self._override.reason) if self._override else {}
        return {**apart(module), **said}

    def _build(self, route: Route) -> Built | None:
        self.entering(Stage.BUILD)
        stage = 0
        try:
            arguments, applied = self._arguments(route)
            config = build_config(self._config_class, arguments)
            if route.repaired:
                arguments, repairs = fill_missing(arguments, config)
                if not repairs:
                    return None
                applied += repairs
                config = build_config(self._config_class, arguments)
            stage = 1
            if self.scale is Scale.DEFAULT:
                scales.refuse_if_too_large(self._model_class, config)
            elif route.rung and count_parameters(self._model_class, config) > MOST_PARAMETERS:
                return None
            module = build_module(self._model_class, config, self.seed)
        except (CannotBuild, Unavailable):
            raise
        except Exception as error:
            if isinstance(error, ImportError) and (unavailable := self._unavailable(error)):
                raise unavailable from error
            self.failures.append(Failure(route, stage, error))
            return None
        return Built(route, arguments, applied, module)

    def _arguments(self, route: Route) -> tuple[dict[str, Any], tuple[Applied, ...]]:
        applied: tuple[Applied, ...] = ()
        arguments: dict[str, Any] = {}
        if self.scale is Scale.TINY:
            shrunk = shrink(self._default, relaxed=LADDER[route.rung])
            arguments, applied = shrunk.arguments, shrunk.applied
        else:
            arguments = scales.default_arguments(self._default)
        applied += class_arguments(self.architecture, self._model_class, self._default, arguments)
        if self._override and self.scale is Scale.TINY:
            applied += overrides.apply(self._override, arguments)
        return arguments, applied

    def _feed(self, built: Built) -> Found | None:
        """The first layout that runs and feeds every modality; a partial one is kept for the end."""
        self.entering(Stage.INPUTS)
        given = self._override.inputs if self._override else None
        only = built.route.layout or (self._override.layout if self._override else None)
        wanted: frozenset[Modality] | None = None
        alone = self.apart(built.module).keys()
        offered = layouts(built.module, self.architecture, self.seed, given, apart=alone)
        if (built.route.rung or built.route.repaired) and not only:
            offered = islice(offered, LAYOUTS_AFTER_FIRST_RUNG)
        while (layout := self._next(offered, built.route)) is not None:
            if wanted is None:
                wanted = self._wanted(layout, alone)
            if only and layout.name != only:
                continue
            found = self._try(built, layout)
            if found and (only or wanted <= set(layout.modalities)):
                return found
            if found and (self.partial is None or _breadth(found) > _breadth(self.partial)):
                self.partial = found
            if self._spent() or (only and layout.name == only):
                break
        return None

    def _next(self, offered: Iterator[Layout], route: Route) -> Layout | None:
        try:
            return next(offered, None)
        except Exception as error:  # noqa: BLE001 - layouts run parts of the model to count what they return
            self.failures.append(Failure(route, 2, error))
            return None

    def _wanted(self, first: Layout, alone: Collection[Modality]) -> frozenset[Modality]:
        """What the inputs must feed: all that the architecture takes in, or as much of it as another class does."""
        every = frozenset(self.architecture.modalities) - set(alone)
        return every if self.class_name == self.architecture.default_class else every & set(first.modalities)

    def _try(self, built: Built, layout: Layout) -> Found | None:
        route = Route(rung=built.route.rung, repaired=built.route.repaired, layout=layout.name, accepted=False)
        try:
            arguments = layout.build()
            run_once(built.module, arguments)
        except Exception as error:  # noqa: BLE001 - a model may raise anything at inputs it does not like; it is kept
            self.failures.append(Failure(route, 2, error))
            return None
        return Found(built, layout, to_numpy(arguments))

    def _unavailable(self, error: ImportError) -> Unavailable | None:
        missing = missing_distribution(error)
        return needs(self.class_name, missing) if missing else None

    def _spent(self) -> bool:
        return time.process_time() - self._started > SEARCH_CPU_S


def find(
    architecture: Architecture,
    class_name: str,
    *,
    scale: Scale = Scale.TINY,
    seed: int = 0,
    entering: Callable[[Stage], None],
    cache_dir: Path | None = None,
) -> TorchSubject:
    """Search for config, model and inputs, the remembered route first.

    Raises:
        CannotBuild: no config or model could be made.
        TooLarge: at scale `default`, the weights do not fit in memory.
        NoInputs: models were built, but none ran.
        Unavailable: a distribution is missing.
    """
    search = Search(architecture, class_name, scale, seed, entering)
    search.resolve()
    memory, key = Routes(cache_dir), route_key(architecture.model_type, class_name, scale, seed)
    known = memory.recall(key)
    found = search.run(iter([known])) if known else None
    if found is None and not (known and not known.accepted and search.failures):
        found = search.run(search.routes())
        memory.remember(key, _ended(search, found))
    if found is None:
        raise _give_up(search)
    return _subject(search, found)


def _ended(search: Search, found: Found | None) -> Route:
    if found:
        route = found.built.route
        return Route(rung=route.rung, repaired=route.repaired, layout=found.layout.name, accepted=True)
    failure = search.most_telling()
    return failure.route if failure else Route(rung=0, repaired=False, layout=None, accepted=False)


def _give_up(search: Search) -> CannotBuild | NoInputs:
    failure = search.most_telling()
    if failure is None:
        return NoInputs(f"no input layout is known for {search.class_name}")
    message = describe(failure.error)
    if failure.stage < 2:
        error: CannotBuild | NoInputs = CannotBuild(f"{search.class_name} cannot be built: {message}")
    else:
        tried = sum(entry.stage == 2 for entry in search.failures)
        layout = f" with {failure.route.layout}" if failure.route.layout else ""
        error = NoInputs(
            f"{search.class_name} ran with none of {tried} input layouts; the first failed{layout}: {message}"
        )
    error.__cause__ = failure.error
    return error


def _subject(search: Search, found: Found) -> TorchSubject:
    module = found.built.module
    recipe = Recipe(
        model_type=search.architecture.model_type,
        model_class=search.class_name,
        scale=search.scale,
        seed=search.seed,
        config=found.built.arguments,
        inputs=identity.input_specs(found.inputs),
        layout=found.layout.name,
        modalities=found.layout.modalities,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        applied=found.built.applied,
        apart=search.apart(module),
        versions=identity.versions_of(search.architecture.model_type),
    )
    import msgspec

    recipe = msgspec.structs.replace(recipe, hash=identity.recipe_hash(recipe, weights.VERSION))
    return TorchSubject(search.architecture, recipe, found.inputs, module)


def _breadth(found: Found) -> int:
    return len(set(found.layout.modalities))
