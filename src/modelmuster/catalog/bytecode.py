"""What a model class's own code refers to, read from its compiled functions. Nothing is run, no source text parsed.

The walk starts at `__init__` and `forward`. It follows methods of the same class by name, functions and modules of
transformers by the global names that the code uses, and dictionaries of modules such as `ROPE_CLASSES`.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType
from typing import Any, TypeGuard

from modelmuster.catalog import own
from modelmuster.catalog.facts import CodeFacts

_FOLLOWED = ("transformers.models.", "transformers.modeling_layers")
"""Packages whose code counts as the architecture's own; the base classes and the attention kernels do not."""

_MASKING = ("transformers.masking_utils", "transformers.modeling_attn_mask_utils")

_ENTRANCES = ("__init__", "forward")

_LOADS = ("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE", "STORE_FAST_LOAD_FAST")
"""Instructions that read a local variable, in any supported version of Python."""

_BUILDERS = frozenset({"AutoModel", "AutoBackbone", "load_backbone"})


def read(model_class: type) -> CodeFacts:
    """Everything that building the class and calling its forward can refer to."""
    seen: set[object] = set()
    inner: set[str] = set()
    facts = [CodeFacts(packages=demanded_by_decorator(model_class))]
    classes: list[type] = [model_class]
    functions: list[tuple[FunctionType, type | None]] = []
    while classes or functions:
        if functions:
            step = functions.pop()
            if step not in seen:
                seen.add(step)
                found = _direct(*step)
                facts.append(found.facts)
                classes += found.classes
                functions += found.functions
        elif (owner := classes.pop()) not in seen:
            seen.add(owner)
            methods = own_functions(owner)
            functions += [(methods[name], owner) for name in _ENTRANCES if name in methods]
            if owner is not model_class and "forward" in methods:
                inner.update(parameters(methods["forward"]))
    return CodeFacts(
        masks=frozenset().union(*(one.masks for one in facts)),
        masks_by_role=frozenset().union(*(one.masks_by_role for one in facts)),
        triangles=any(one.triangles for one in facts),
        experts=any(one.experts for one in facts),
        recurs=any(one.recurs for one in facts),
        packages=frozenset().union(*(one.packages for one in facts)),
        builds=frozenset().union(*(one.builds for one in facts)),
        inner_parameters=frozenset(inner),
    )


def demanded_by_decorator(model_class: type) -> frozenset[str]:
    """Backends that `@requires(backends=...)` put on this very class; the library hides it where one is missing."""
    for name, value in vars(model_class).items():
        if name.endswith("__backends"):
            return frozenset(backend for backend in value if isinstance(backend, str))
    return frozenset()


def parameters(function: FunctionType) -> tuple[str, ...]:
    """Names of the parameters, without `*args` and `**kwargs`."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def unread(function: FunctionType) -> frozenset[str]:
    """Parameters that are only kept in a signature: no instruction loads them."""
    code = function.__code__
    loaded: set[str] = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith(_LOADS):
            # From Python 3.13 on, one instruction can load two names.
            value = instruction.argval
            loaded.update(value if isinstance(value, tuple) else (value,))
    return frozenset(parameters(function)) - loaded


@cache
def own_functions(model_class: type) -> dict[str, FunctionType]:
    """The methods that the architecture's own code gives the class, unwrapped, by name."""
    found: dict[str, FunctionType] = {}
    for base in model_class.__mro__:
        if not _is_followed(base.__module__):
            continue
        for name, value in vars(base).items():
            function = _plain(value)
            if function is not None:
                found.setdefault(name, function)
    return found


def _inherited(function: FunctionType, owner: type) -> list[FunctionType]:
    """What `super()` may reach from a method. The library's own classes are flat; own ones derive from them."""
    same = [vars(base).get(function.__name__) for base in owner.__mro__ if _is_followed(base.__module__)]
    return [found for value in same if (found := _plain(value)) is not None and found is not function]


@dataclass(frozen=True, slots=True)
class _Direct:
    """What one function refers to, and where the walk goes on from there."""

    facts: CodeFacts
    classes: tuple[type, ...]
    functions: tuple[tuple[FunctionType, type | None], ...]


@cache
def _direct(function: FunctionType, owner: type | None) -> _Direct:
    methods = own_functions(owner) if owner is not None else {}
    masks: set[str] = set()
    packages: set[str] = set()
    classes: dict[type, None] = {}
    functions: dict[tuple[FunctionType, type | None], None] = {}
    if owner is not None and own.is_own(function.__module__):
        functions |= dict.fromkeys((inherited, owner) for inherited in _inherited(function, owner))
    codes = list(_nested(function.__code__))
    names = {name for code in codes for name in code.co_names}
    for code in codes:
        packages.update(_demanded_by_call(code), _imported_inside(code))
        for name in code.co_names:
            value = function.__globals__.get(name)
            if name in methods:
                functions[methods[name], owner] = None
            elif isinstance(value, FunctionType) and _is_followed(value.__module__):
                functions[_unwrapped(value), None] = None
            if isinstance(value, FunctionType) and value.__module__ in _MASKING:
                masks.add(value.__name__)
            elif "causal" in name and "mask" in name and (name in methods or isinstance(value, FunctionType)):
                masks.add(name)  # made by the model's own code
            elif not isinstance(value, FunctionType):
                candidates = list(value.values()) if isinstance(value, dict) else [value]
                classes.update(dict.fromkeys(item for item in candidates if _is_own_module(item)))
    by_role = "is_decoder" in names
    return _Direct(
        CodeFacts(
            masks=frozenset() if by_role else frozenset(masks),
            masks_by_role=frozenset(masks) if by_role else frozenset(),
            triangles=any(name.rstrip("_") in {"tril", "triu"} for name in names),
            experts="experts" in names,
            recurs="update_recurrent_state" in names,
            packages=frozenset(packages),
            builds=frozenset(names & _BUILDERS),
        ),
        tuple(classes),
        tuple(functions),
    )


def _demanded_by_call(code: CodeType) -> Iterator[str]:
    """Backends named in calls of `requires_backends(self, [...])`."""
    if "requires_backends" not in code.co_names:
        return
    called = False
    for instruction in dis.get_instructions(code):
        if instruction.argval == "requires_backends":
            called = True
        elif called and instruction.opname == "LOAD_CONST":
            value = instruction.argval
            yield from value if isinstance(value, tuple) else (value,)
        elif called and instruction.opname.startswith("CALL"):
            called = False


def _imported_inside(code: CodeType) -> Iterator[str]:
    """Third-party packages that a function imports without asking first whether they are there."""
    if dis.opmap["IMPORT_NAME"] not in code.co_code[::2]:
        return
    instructions = list(dis.get_instructions(code))
    for place, instruction in enumerate(instructions):
        # Two instructions earlier the level was loaded: 0 for an absolute import.
        if instruction.opname != "IMPORT_NAME" or instructions[place - 2].argval != 0:
            continue
        package = instruction.argval.partition(".")[0]
        # `if is_peft_available(): import peft`, `if is_deepspeed_zero3_enabled(): import deepspeed`
        asked = any(name.startswith("is_") and package in name for name in code.co_names)
        if package and not asked and not is_always_there(package):
            yield package


@cache
def always_there() -> frozenset[str]:
    """Distributions that transformers itself depends on, with torch; names as imported."""
    import re
    from importlib.metadata import PackageNotFoundError, requires

    names = {"torch", "transformers", "yaml"}
    try:
        stated = requires("transformers") or ()
    except PackageNotFoundError:
        stated = ()
    for line in stated:
        if "extra ==" not in line:
            names.add(re.split(r"[^\w-]", line)[0].replace("-", "_").lower())
    return frozenset(names)


def is_always_there(package: str) -> bool:
    """Whether an import of it cannot fail beside torch and transformers."""
    import sys

    return package in sys.stdlib_module_names or package in always_there() or package == "typing_extensions"


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _plain(value: Any) -> FunctionType | None:
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    if not callable(value) or inspect.isclass(value):
        return None
    found = inspect.unwrap(value)
    return found if isinstance(found, FunctionType) else None


def _unwrapped(function: FunctionType) -> FunctionType:
    found = inspect.unwrap(function)
    return found if isinstance(found, FunctionType) else function


def _is_followed(module: str) -> bool:
    return module.startswith(_FOLLOWED) or own.is_own(module)


def _is_own_module(value: Any) -> TypeGuard[type]:
    from torch.nn import Module

    return inspect.isclass(value) and _is_followed(value.__module__) and issubclass(value, Module)
