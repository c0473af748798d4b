"""From an architecture and the name of a class to the classes themselves, and to the config's default instance."""

from __future__ import annotations

import copy
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from modelmuster import dependencies
from modelmuster.catalog.library import distribution_of
from modelmuster.errors import CannotBuild, Unavailable
from modelmuster.records import Architecture

BUILDING_BLOCKS: tuple[dict[str, str], ...] = (
    {"encoder": "bert", "decoder": "gpt2"},
    {"encoder": "vit", "decoder": "gpt2"},
    {"encoder": "wav2vec2", "decoder": "bart"},
    {"text_encoder": "t5", "audio_encoder": "encodec", "decoder": "musicgen_decoder"},
    {"question_encoder": "dpr", "generator": "bart"},
    {"text_config": "bert", "vision_config": "clip_vision_model"},
)
"""Sub-configs, by field, for composite configs that have no defaults of their own."""

BLOCK_FOR_MODALITY = {"image": "vit", "audio": "wav2vec2"}
"""The encoder of an encoder-decoder without defaults, by what the architecture takes in."""

_REQUIRES = re.compile(r"requires the (\S+) library")


def model_class(architecture: Architecture, name: str) -> Any:
    """The model class of that name.

    Raises:
        Unavailable: the class needs a distribution that is not installed.
        CannotBuild: there is no such class.
    """
    import transformers

    for distribution in architecture.requires:
        try:
            version(distribution)
        except PackageNotFoundError:
            raise needs(name, distribution) from None
    found = getattr(transformers, name, None)
    if found is None:
        found = _in_package(architecture.module, name)
    if not inspect.isclass(found):
        raise CannotBuild(f"transformers has no class {name}")
    missing = getattr(found, "_backends", None)
    if missing:
        # A stand-in that transformers puts where a package is missing; asking it for anything names the package.
        raise needs(name, *map(distribution_of, missing))
    return found


def needs(name: str, *distributions: str) -> Unavailable:
    """The error for a class whose packages are not installed, with what to type to get them."""
    commands = " && ".join(dict.fromkeys(map(dependencies.install_command, distributions)))
    return Unavailable(
        f"{name} needs the package {', '.join(distributions)}, which is not installed", hint=f"type: {commands}"
    )


def config_class(architecture: Architecture, cls: Any) -> Any:
    """The config class to build `cls` with: the architecture's own, unless the class is made for another one."""
    own = _config_class(architecture)
    made_for = getattr(cls, "config_class", None)
    if inspect.isclass(made_for) and not issubclass(own, made_for):
        return made_for
    return own


def default_config(
    cls: Any, architecture: Architecture, overridden: Mapping[str, Any], parts: Mapping[str, str] | None = None
) -> Any:
    """An instance of the config class with its defaults; composite classes without any get building blocks.

    Args:
        cls: the config class.
        architecture: decides which building blocks are tried first.
        overridden: arguments of the type's override, for classes whose defaults contradict each other.
        parts: model types of sub-configs that the override names, by field.

    Raises:
        CannotBuild: nothing of this works.
    """
    attempts: list[Callable[[], dict[str, Any]]] = [dict, partial(copy.deepcopy, dict(overridden))]
    attempts += [partial(_blocks, blocks) for blocks in _blocks_for(architecture)]
    causes: list[Exception] = []
    for arguments in attempts:
        try:
            return _with_all_parts(cls, arguments(), parts or {})
        except Exception as error:  # noqa: BLE001 - whatever a config's validator raises
            causes.append(error)
    first = causes[0]
    raise CannotBuild(f"{cls.__name__} has no usable defaults: {type(first).__name__}: {first}") from first


def _with_all_parts(cls: Any, arguments: dict[str, Any], parts: Mapping[str, str]) -> Any:
    """The config; parts that it has a class for but leaves out by default are put in with that class's defaults.

    Gemma 4 without its towers is a language model: what makes the architecture would never run.
    """
    config = cls(**copy.deepcopy(arguments))
    left_out = {
        name: part().to_dict()
        for name, part in (getattr(cls, "sub_configs", None) or {}).items()
        if getattr(config, name, None) is None and getattr(part, "model_type", None) and name not in arguments
    }
    left_out |= {name: _block(model_type) for name, model_type in parts.items()}
    return cls(**arguments, **left_out) if left_out else config


def missing_distribution(error: BaseException) -> str | None:
    """The distribution that transformers says it misses, from the error's message; None for other errors."""
    found = _REQUIRES.search(str(error)) if isinstance(error, ImportError) else None
    return dependencies.distribution_of(found[1]) if found else dependencies.lacking(error)


def _blocks_for(architecture: Architecture) -> list[dict[str, str]]:
    preferred = next(
        (BLOCK_FOR_MODALITY[m.value] for m in architecture.modalities if m.value in BLOCK_FOR_MODALITY), "bert"
    )
    return sorted(BUILDING_BLOCKS, key=lambda blocks: blocks.get("encoder", preferred) != preferred)


def _blocks(blocks: Mapping[str, str]) -> dict[str, Any]:
    return {name: _block(model_type) for name, model_type in blocks.items()}


def _block(model_type: str) -> dict[str, Any]:
    from transformers import CONFIG_MAPPING

    block: dict[str, Any] = CONFIG_MAPPING[model_type]().to_dict()
    return block


def _config_class(architecture: Architecture) -> Any:
    from transformers import CONFIG_MAPPING

    if architecture.model_type in CONFIG_MAPPING:
        return CONFIG_MAPPING[architecture.model_type]
    found = _in_package(architecture.module, architecture.config_class)
    if found is None:
        raise CannotBuild(f"{architecture.module} has no config class {architecture.config_class}")
    return found


def _in_package(package: str, name: str) -> Any:
    """An attribute of a package or of its modelling and configuration modules."""
    try:
        root = importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise CannotBuild(f"there is no package {package}: {error}") from error
    folder = list(getattr(root, "__path__", []))
    from pkgutil import iter_modules

    modules = [
        f"{package}.{info.name}" for info in iter_modules(folder) if info.name.startswith(("modeling_", "config"))
    ]
    for module in (root, *map(importlib.import_module, modules)):
        if hasattr(module, name):
            return getattr(module, name)
    return None
