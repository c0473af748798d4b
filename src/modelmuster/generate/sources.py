"""Values as Python source."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def source(value: Any) -> str:
    """The value as Python source."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{source(name)}: {source(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(source, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(source, value))}{',' if len(value) == 1 else ''})"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def arguments(config: Mapping[str, Any]) -> str:
    """Keyword arguments of a call; names that are no identifiers go through a dictionary."""
    named = [f"{name}={source(value)}" for name, value in config.items() if name.isidentifier()]
    others = {name: value for name, value in config.items() if not name.isidentifier()}
    return ", ".join([*named, *([f"**{source(others)}"] if others else [])])
