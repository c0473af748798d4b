"""The installed transformers library: its auto-mappings, config classes and modelling modules, with nothing concluded.

Importing this module is cheap; its functions import transformers and torch.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from modelmuster.catalog.bytecode import is_always_there
from modelmuster.errors import MissingDependency

_MAPPING = "MODEL_MAPPING_NAMES"


@dataclass(frozen=True, slots=True)
class Modelling:
    """The modelling modules of one package."""

    modules: tuple[ModuleType, ...]
    failure: Exception | None = None
    """What importing one of them raised, where no missing package explains it."""


def require() -> None:
    """Check that there is something to introspect.

    Raises:
        MissingDependency: torch or transformers is not installed.
    """
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependency(package, purpose="reading the catalogue from transformers", extra="torch")


@contextmanager
def quiet() -> Iterator[None]:
    """Look through the library without its notices about kernels and odd defaults, and without any download."""
    from huggingface_hub import constants
    from transformers.utils import logging

    before = logging.get_verbosity(), constants.HF_HUB_OFFLINE
    logging.set_verbosity_error()
    constants.HF_HUB_OFFLINE = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before[0])
        constants.HF_HUB_OFFLINE = before[1]


@cache
def task_classes() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Class names by task and model type, from every auto-mapping; the plain one is called `MODEL`."""
    from transformers.models.auto import modeling_auto

    tasks: dict[str, dict[str, tuple[str, ...]]] = {}
    for name in sorted(vars(modeling_auto)):
        if not name.startswith("MODEL_") or not name.endswith("_NAMES"):
            continue
        task = "MODEL" if name == _MAPPING else name.removeprefix("MODEL_FOR_").removesuffix("_NAMES")
        listed = getattr(modeling_auto, name)
        tasks[task.removesuffix("_MAPPING")] = {
            model_type: (names,) if isinstance(names, str) else tuple(names) for model_type, names in listed.items()
        }
    return tasks


def tasks_of(model_type: str, config_class: type) -> Iterator[tuple[str, str]]:
    """Tasks with the name of the class that the auto-mappings list for a type, or that somebody registered for it."""
    for task, listed in task_classes().items():
        for name in listed.get(model_type, ()):
            yield task, name
    from transformers.models.auto import modeling_auto

    for name, mapping in vars(modeling_auto).items():
        registered = getattr(mapping, "_extra_content", {}).get(config_class, ())
        task = name.removeprefix("MODEL_FOR_").removesuffix("_MAPPING")
        for found in registered if isinstance(registered, tuple) else (registered,):
            yield task, found.__name__


@cache
def processed() -> Mapping[str, tuple[str, ...]]:
    """What the auto-processors make, by model type: text, image, video, audio."""
    from transformers.models import auto

    found: dict[str, list[str]] = {}
    for kind, module, mapping in (
        ("text", "tokenization_auto", "TOKENIZER_MAPPING_NAMES"),
        ("image", "image_processing_auto", "IMAGE_PROCESSOR_MAPPING_NAMES"),
        ("video", "video_processing_auto", "VIDEO_PROCESSOR_MAPPING_NAMES"),
        ("audio", "feature_extraction_auto", "FEATURE_EXTRACTOR_MAPPING_NAMES"),
    ):
        for model_type in getattr(importlib.import_module(f"{auto.__name__}.{module}"), mapping):
            found.setdefault(model_type, []).append(kind)
    return {model_type: tuple(kinds) for model_type, kinds in found.items()}


@cache
def config_classes() -> Mapping[str, Any]:
    """Config class by model type, in the library's order; the exception itself where it cannot be imported."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING, CONFIG_MAPPING_NAMES

    found: dict[str, Any] = {}
    for model_type in CONFIG_MAPPING_NAMES:
        try:
            found[model_type] = CONFIG_MAPPING[model_type]
        except Exception as error:  # noqa: BLE001 - an import of the library may raise anything; it becomes a note
            found[model_type] = error
    return found


@cache
def default_config(config_class: Any) -> Any:
    """The config class's default instance, or the exception that making it raised."""
    try:
        return config_class()
    except Exception as error:  # noqa: BLE001 - validators of the library may raise anything; it becomes a note
        return error


def package_of(config_class: type) -> str:
    """The package that holds a config class: `transformers.models.bert`."""
    return config_class.__module__.rpartition(".")[0]


@cache
def modelling(package: str) -> Modelling:
    """The modelling modules of a package, imported even where a package that they want is missing."""
    found: list[ModuleType] = []
    for name in _modelling_names(package):
        try:
            found.append(_import(name))
        except Exception as error:  # noqa: BLE001 - modelling code may raise anything; it becomes a note
            return Modelling(tuple(found), error)
    return Modelling(tuple(found))


def find_class(name: str, package: str) -> type | None:
    """A model class by name: in the package's own modelling modules, else wherever the library exports it from."""
    for module in modelling(package).modules:
        if inspect.isclass(found := vars(module).get(name)):
            return found
    import transformers

    place = getattr(transformers, "_class_to_module", {}).get(name)
    if place is None:
        return None
    for module in modelling(f"transformers.{place}".rpartition(".")[0]).modules:
        if inspect.isclass(found := vars(module).get(name)):
            return found
    return None


def unconditional_packages(model_class: type) -> frozenset[str]:
    """Packages that the module of a class imports without asking whether they are there."""
    return frozenset(_unconditional_imports(model_class.__module__))


def distribution_of(backend: str) -> str:
    """What to install for a backend, in the words of the library's own error message, such as pillow for `vision`."""
    from transformers.utils.import_utils import BACKENDS_MAPPING

    message = BACKENDS_MAPPING[backend][1] if backend in BACKENDS_MAPPING else ""
    stated = re.search(r"pip install (?:-U )?([\w.-]+)(?!.*\[)", message)
    if stated:
        return stated[1]
    # Messages without a pip line still name the library: "requires the torchaudio library".
    named = re.search(r"requires the (\S+) library", message)
    return named[1].lower() if named else backend


def _modelling_names(package: str) -> Iterator[str]:
    module = importlib.import_module(package)
    for found in sorted(pkgutil.iter_modules(module.__path__), key=lambda entry: entry.name):
        if found.name.startswith("modeling_"):
            yield f"{package}.{found.name}"


@cache
def _unconditional_imports(module: str) -> tuple[str, ...]:
    """Third-party packages imported at the top level of a module, outside any condition."""
    folder, _, name = module.rpartition(".")
    path = Path(next(iter(importlib.import_module(folder).__path__))) / f"{name}.py"
    # A statement in the first column is under no condition.
    packages = set(re.findall(r"^(?:import|from) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return tuple(sorted(package for package in packages if not is_always_there(package)))


def _import(name: str) -> ModuleType:
    """Import a modelling module; a package that it wants but that is missing is replaced by an empty one meanwhile.

    The classes of such a module can be read, not used. So it is forgotten again: for others the import must fail.
    """
    missing = [package for package in _unconditional_imports(name) if importlib.util.find_spec(package) is None]
    for package in missing:
        placeholder = ModuleType(package)
        placeholder.__spec__ = ModuleSpec(package, None)
        sys.modules[package] = placeholder
    try:
        return importlib.import_module(name)
    finally:
        for package in missing:
            del sys.modules[package]
        if missing:
            folder, _, last = name.rpartition(".")
            sys.modules.pop(name, None)
            vars(sys.modules[folder]).pop(last, None)
