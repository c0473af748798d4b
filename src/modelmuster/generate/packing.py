"""Long configs as source that is laid out in paragraphs: as many arguments on a line as fit, one block per sub-config.

A formatter would give each argument a line of its own, and the largest multimodal configs have a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelmuster.generate.sources import arguments, source

WIDTH = 120
LONG = 12
"""Values of a config, those of its sub-configs too, from which on it is packed."""

FEW = 3
"""Values of a sub-config that still stand on a line with others."""


def is_long(config: Mapping[str, Any]) -> bool:
    """Whether the config is better packed."""
    return _values(config) > LONG


def packed(config: Mapping[str, Any], indent: int) -> str:
    """The arguments of a call on lines of their own, each line with this many spaces before it."""
    named = {name: value for name, value in config.items() if name.isidentifier()}
    rest = arguments({name: value for name, value in config.items() if name not in named})
    return "\n".join([*_lines(named, "{}={}", " " * indent), *([f"{' ' * indent}{rest},"] if rest else [])])


def _values(value: Any) -> int:
    return sum(map(_values, value.values())) if isinstance(value, Mapping) else 1


def _lines(config: Mapping[str, Any], form: str, indent: str) -> Iterator[str]:
    """`form` joins a name and a value."""
    waiting: list[str] = []
    for name, value in config.items():
        item = f"{form.format(name, source(value))},"
        fits = len(indent + item) <= WIDTH
        if fits and not (isinstance(value, Mapping) and _values(value) > FEW):
            waiting.append(item)
            continue
        yield from _filled(waiting, indent)
        waiting = []
        if fits:
            yield indent + item
        elif isinstance(value, Mapping):
            quoted = {source(key): member for key, member in value.items()}
            yield f"{indent}{form.format(name, '{')}"
            yield from _lines(quoted, "{}: {}", f"{indent}    ")
            yield f"{indent}}},"
        elif isinstance(value, list | tuple):
            opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")")
            yield f"{indent}{form.format(name, opening)}"
            yield from _filled([f"{source(member)}," for member in value], f"{indent}    ")
            yield f"{indent}{closing},"
        else:
            yield indent + item
    yield from _filled(waiting, indent)


def _filled(items: Iterable[str], indent: str) -> Iterator[str]:
    line = ""
    for item in items:
        if line and len(indent) + len(line) + 1 + len(item) > WIDTH:
            yield indent + line
            line = ""
        line += f" {item}" if line else item
    if line:
        yield indent + line
