"""What a config class declares: its fields with their defaults, in every release of transformers 5."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def declared(cls: Any) -> Mapping[str, Any]:
    """Each field with the default that it is declared with; None where it has none."""
    if dataclasses.is_dataclass(cls):
        return {field.name: _default(field) for field in dataclasses.fields(cls)}
    return _parameters(cls)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None


def _parameters(cls: type) -> dict[str, Any]:
    """Configs of the first releases are plain classes: their fields are the parameters of their constructors."""
    from transformers import PreTrainedConfig

    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base is not PreTrainedConfig and issubclass(base, PreTrainedConfig) and "__init__" in vars(base):
            parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            found |= {
                each.name: None if each.default is inspect.Parameter.empty else each.default
                for each in parameters
                if each.kind not in VARIADIC
            }
    return found
