"""Values inside values: what the arguments of a model and what it returns are made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


def members_of(value: Any) -> list[tuple[str, Any]]:
    """What a mapping, tuple, list or dataclass holds, with names or indices; nothing for anything else."""
    if isinstance(value, Mapping):
        return [(str(name), member) for name, member in value.items()]
    if isinstance(value, tuple | list):
        return [(str(index), member) for index, member in enumerate(value)]
    if is_record(value):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return []


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """A list, tuple, dictionary or dataclass with every member changed; anything else as it is."""
    if isinstance(value, list | tuple):
        return type(value)(change(member) for member in value)
    if isinstance(value, dict):
        return {name: change(member) for name, member in value.items()}
    if is_record(value):
        return dataclasses.replace(value, **{name: change(member) for name, member in members_of(value)})
    return value


def is_record(value: Any) -> bool:
    """Whether it is an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)
