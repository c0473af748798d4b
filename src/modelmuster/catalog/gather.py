"""From the installed library to facts: every model type, its default config and its classes, as observed."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from modelmuster.catalog import bytecode, classes, library
from modelmuster.catalog.facts import ClassFacts, Fit, TypeFacts
from modelmuster.catalog.relations import Relations, relations, tree

Advance = Callable[[str, int, int], None]
"""Called with a model type, how many are done, and how many there are."""

_LAYER_LISTS = ("layer_types", "layers_block_type")
"""Lists of layer kinds; some configs compute them in a property."""


def gather(only: Iterable[str] | None = None, advance: Advance | None = None) -> dict[str, TypeFacts]:
    """Facts about every type of the installed library, or about some types and those that they contain.

    Raises:
        MissingDependency: torch or transformers is not installed.
    """
    library.require()
    with library.quiet():
        known = library.config_classes()
        related = relations(known)
        wanted = list(library.config_classes()) if only is None else _closure(only, related)
        found = {}
        for done, model_type in enumerate(wanted):
            if advance is not None:
                advance(model_type, done, len(wanted))
            found[model_type] = _type_facts(model_type, known[model_type], related.get(model_type, Relations()))
        return found


def gather_own(own: Mapping[str, type]) -> dict[str, TypeFacts]:
    """Facts about types that are no part of the library, and about those of the library that they contain.

    Args:
        own: their config classes, which are registered with the library.

    Raises:
        MissingDependency: torch or transformers is not installed.
    """
    library.require()
    with library.quiet():
        classes = dict(own)
        for config_class in own.values():
            for _, part in tree(library.default_config(config_class)):
                classes.setdefault(part.model_type or type(part).__name__, type(part))
        related = relations(classes)
        return {name: _type_facts(name, config_class, related[name]) for name, config_class in classes.items()}


def _closure(only: Iterable[str], related: dict[str, Relations]) -> list[str]:
    wanted: dict[str, None] = {}
    queue = list(only)
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted[name] = None
            entry = related.get(name, Relations())
            queue += [*entry.contains.values(), *([entry.extends] if entry.extends else [])]
    return [name for name in library.config_classes() if name in wanted]


def _type_facts(model_type: str, config_class: Any, related: Relations) -> TypeFacts:
    if not isinstance(config_class, type):
        return TypeFacts(model_type, "", "", failure=_in_one_line(config_class))
    package = library.package_of(config_class)
    modelling = library.modelling(package)
    config = library.default_config(config_class)
    return TypeFacts(
        model_type=model_type,
        config_class=config_class.__name__,
        module=package,
        classes=_classes(model_type, config_class, related),
        settings=_settings(config),
        contains=related.contains,
        part_of=related.part_of,
        extends=related.extends,
        plain_modules=_plain_modules(package, config_class),
        processors=library.processed().get(model_type, ()),
        modelling=bool(modelling.modules) or modelling.failure is not None,
        refusal=_in_one_line(config) if isinstance(config, Exception) else None,
        failure=_in_one_line(modelling.failure) if modelling.failure is not None else None,
    )


def _settings(config: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for path, part in tree(config):
        computed = {name: getattr(part, name, None) for name in _LAYER_LISTS if hasattr(type(part), name)}
        # Stored values, not getattr: a config whose layers differ refuses to give one value for all.
        for name, value in (vars(part) | computed).items():
            if not name.startswith("_") and _is_plain(value):
                flat[f"{path}{name}"] = value
    return flat


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, int | float | str)


def _classes(model_type: str, config_class: type, related: Relations) -> tuple[ClassFacts, ...]:
    """The classes that the auto-mappings list, and those that they forget.

    Without a usable one, every class that the package holds for this config; and where even these have no forward, as
    in Bark, the models of its sub-configs stand for the whole.
    """
    package = library.package_of(config_class)
    tasks: dict[str, list[str]] = {}
    for task, name in library.tasks_of(model_type, config_class):
        tasks.setdefault(name, []).append(task)
    found: dict[str, ClassFacts] = {}
    for name, its_tasks in tasks.items():
        model_class = library.find_class(name, package)
        fit = _fit(model_class, config_class, related) if model_class is not None else None
        if model_class is not None and fit is not None:
            found[name] = _class_facts(model_class, fit, tuple(its_tasks))
    unlisted = [made for made in _scanned(package, (config_class,), Fit.OWN) if made.name not in found]
    if _any_runs(found):
        unlisted = classes.worth_adding(tuple(found.values()), unlisted)
    found |= {made.name: made for made in unlisted}
    if not _any_runs(found):
        found |= {made.name: made for made in _scanned(package, related.sub_configs, Fit.PART) if made.runs}
    return tuple(found.values())


def _any_runs(found: dict[str, ClassFacts]) -> bool:
    return any(made.runs for made in found.values())


def _scanned(package: str, config_classes: tuple[type, ...], fit: Fit) -> list[ClassFacts]:
    from transformers import PreTrainedModel

    found = []
    for config_class in config_classes:
        for module in library.modelling(package).modules:
            for value in vars(module).values():
                is_model = inspect.isclass(value) and issubclass(value, PreTrainedModel)
                if is_model and value.__module__ == module.__name__ and value.config_class is config_class:
                    found.append(_class_facts(value, fit, ()))
    return found


def _fit(model_class: type, config_class: type, related: Relations) -> Fit | None:
    wanted = getattr(model_class, "config_class", None)
    if wanted is None or issubclass(config_class, wanted):
        return Fit.OWN
    if wanted in related.sub_configs:
        return Fit.PART
    return Fit.ALIKE if _builds(model_class, library.default_config(config_class)) else None


def _builds(model_class: type, config: Any) -> bool:
    """Whether the class accepts a config that it was not made for: built without memory, on the meta device."""
    import torch

    try:
        with torch.device("meta"):
            model_class(config)
    except ImportError:
        return True
    except Exception:  # noqa: BLE001 - a config that does not fit fails in any way; the answer is no
        return False
    return True


def _class_facts(model_class: Any, fit: Fit, tasks: tuple[str, ...]) -> ClassFacts:
    forward = inspect.unwrap(model_class.forward)
    runs = forward.__name__ != "_forward_unimplemented"
    read = bytecode.read(model_class)
    packages = read.packages | library.unconditional_packages(model_class)
    return ClassFacts(
        name=model_class.__name__,
        fit=fit,
        tasks=tasks,
        exported=model_class.__name__ in getattr(sys.modules.get(model_class.__module__), "__all__", ()),
        runs=runs,
        parameters=_parameters(forward) if runs else (),
        passes_on=runs and bool(forward.__code__.co_flags & inspect.CO_VARKEYWORDS),
        main_input=_first(model_class.main_input_name),
        declared=_declared(model_class),
        outputs=_outputs(forward) if runs else frozenset(),
        generates=bool(model_class.can_generate()),
        code=replace(read, packages=packages),
    )


def _parameters(forward: Any) -> tuple[str, ...]:
    unread = bytecode.unread(forward)
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return tuple(
        name
        for name, parameter in inspect.signature(forward).parameters.items()
        if name != "self" and parameter.kind not in variadic and name not in unread
    )


def _first(names: str | list[str]) -> str:
    return names if isinstance(names, str) else names[0]


def _declared(model_class: type) -> tuple[str, ...]:
    for base in model_class.__mro__:
        if "input_modalities" in vars(base):
            if not base.__module__.startswith("transformers.models."):
                return ()  # the default of the library's base class says nothing about this one
            stated = vars(base)["input_modalities"]
            return (stated,) if isinstance(stated, str) else tuple(stated)
    return ()


def _outputs(forward: Any) -> frozenset[str]:
    stated = inspect.signature(forward).return_annotation
    classes = [kind for kind in (stated, *typing.get_args(stated)) if inspect.isclass(kind)]
    return frozenset(field.name for kind in classes if is_dataclass(kind) for field in fields(kind))


def _plain_modules(package: str, config_class: type) -> tuple[str, ...]:
    """The outermost modules that are built from this config without being models.

    They are known by the annotation of their parameter.
    """
    from torch import nn
    from transformers import PreTrainedModel

    found: list[Any] = []
    for module in library.modelling(package).modules:
        for value in vars(module).values():
            if not inspect.isclass(value) or not issubclass(value, nn.Module) or issubclass(value, PreTrainedModel):
                continue
            parameter = inspect.signature(value.__init__).parameters.get("config")
            if value.__module__ == module.__name__ and parameter and parameter.annotation is config_class:
                found.append(value)
    inner = {name for value in found for name in value.__init__.__code__.co_names}
    return tuple(value.__name__ for value in found if value.__name__ not in inner)


def _in_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
