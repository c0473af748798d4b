"""What a rule is: a name, a sentence of reason, a pattern of field names, and a function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from modelmuster.recipes.shrink.draft import Draft


class Kind(StrEnum):
    """What a rule shrinks; the relaxation ladder gives back whole kinds."""

    LAYERS = "layers"
    VOCABULARY = "vocabulary"
    WIDTH = "width"
    LIST_WIDTH = "list-width"
    HEADS = "heads"
    HEAD_DIM = "head-dim"
    RANK = "rank"
    IMAGE = "image"
    POSITIONS = "positions"
    WINDOW = "window"
    QUERIES = "queries"
    DEPTHS = "depths"
    CODEBOOK = "codebook"
    CONVOLUTION = "convolution"
    EXPERTS = "experts"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Gives one field a smaller value. The first rule whose pattern fits the field's name decides."""

    name: str
    reason: str
    kind: Kind
    pattern: re.Pattern[str]
    but_not: re.Pattern[str] | None
    apply: Callable[[Any, Draft], Any]

    def fits(self, field: str) -> bool:
        """Whether the rule is about fields of that name."""
        low = field.lower()
        return bool(self.pattern.search(low)) and not (self.but_not and self.but_not.search(low))


@dataclass(frozen=True, slots=True)
class RelationRule:
    """Repairs a relation between fields after each was shrunk alone."""

    name: str
    reason: str
    apply: Callable[[Draft], None]


def field_rule(
    pattern: str, kind: Kind, *, but_not: str | None = None
) -> Callable[[Callable[[Any, Draft], Any]], FieldRule]:
    """Make a rule of a function `(value, draft) -> value`: its name names it, its docstring is the reason shown."""

    def make(function: Callable[[Any, Draft], Any]) -> FieldRule:
        return FieldRule(
            name=_name(function),
            reason=_reason(function),
            kind=kind,
            pattern=re.compile(pattern),
            but_not=re.compile(but_not) if but_not else None,
            apply=function,
        )

    return make


def relation_rule(function: Callable[[Draft], None]) -> RelationRule:
    """Make a rule of a function that reads and writes a draft."""
    return RelationRule(name=_name(function), reason=_reason(function), apply=function)


def _name(function: Callable[..., Any]) -> str:
    return str(function.__name__).strip("_").replace("_", "-")


def _reason(function: Callable[..., Any]) -> str:
    doc = inspect.getdoc(function)
    assert doc, f"the rule {function.__name__} says no reason"
    return " ".join(doc.split("\n\n", 1)[0].split())
