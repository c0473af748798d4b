"""Shrinking a config by rules: the arguments for a tiny config, and what each rule did to get there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.fields import FLOAT_RULES, SCALAR_RULES
from modelmuster.recipes.shrink.layers import keep_layers, keep_output_layers, per_layer_entry
from modelmuster.recipes.shrink.lists import LIST_RULES
from modelmuster.recipes.shrink.relations import RELATION_RULES
from modelmuster.recipes.shrink.rule import FieldRule, Kind
from modelmuster.recipes.shrink.tokens import TokenIds
from modelmuster.recipes.shrink.towers import TREE_RULES
from modelmuster.records import Applied

__all__ = ["Kind", "Shrunk", "shrink"]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The keyword arguments of a tiny config, and how they came about."""

    arguments: dict[str, Any]
    applied: tuple[Applied, ...]


def shrink(config: Any, *, relaxed: frozenset[str] = frozenset()) -> Shrunk:
    """Shrink a default config and its sub-configs.

    Args:
        config: an instance of the config class with its default values.
        relaxed: kinds of rules to leave out; see `ladder`.
    """
    draft = _draft(config, path="", tokens=TokenIds(), relaxed=relaxed)
    for rule in TREE_RULES:
        rule.apply(draft)
    applied = tuple(entry for part in draft.walk() for entry in part.applied)
    return Shrunk(draft.arguments(), applied)


def _draft(config: Any, *, path: str, tokens: TokenIds, relaxed: frozenset[str]) -> Draft:
    draft = Draft(config, path=path, tokens=tokens, relaxed=relaxed)
    if keeps_widths(draft):
        draft.relaxed = relaxed | {Kind.WIDTH, Kind.LIST_WIDTH}
    keep_layers(draft)
    keep_output_layers(draft)
    for name, part in draft.part_configs.items():
        draft.parts[name] = _draft(part, path=f"{path}{name}.", tokens=tokens, relaxed=relaxed)
    for name, value in draft.values.items():
        if name not in draft.parts:
            _shrink_field(draft, name, value)
    for rule in RELATION_RULES:
        rule.apply(draft)
    return draft


def keeps_widths(draft: Draft) -> bool:
    """Whether the config is a convolutional network's, whose channel counts hang together by formulas of the code."""
    names = draft.values
    if any("vocab" in name for name in names):
        return False
    stages = any(
        isinstance(value, (list, tuple)) and re.search(r"depths|channels|hidden_sizes|widths|dims|stage", name)
        for name, value in names.items()
    )
    attention = any(re.search(r"heads?$", name) and value is not None for name, value in names.items())
    convolution = any(re.search(r"kernel|conv|channels|stride|backbone|stem", name) for name in names)
    return stages or (convolution and not attention)


def _shrink_field(draft: Draft, name: str, value: Any) -> None:
    rule, new = _by_rule(draft, name, value)
    if per_layer_entry(draft, name, value):
        assert draft.kept_layers is not None
        # The rule changes the entries, the relation shortens the list: a derived list is passed too, because its
        # class would derive it for the wrong layers.
        cut = [new[index] for index in draft.kept_layers]
        draft.choose(name, cut, rule="layer-kinds", reason="One layer for each distinct kind of layer.")
    elif name in draft.given:
        draft.choose(name, new, rule=rule.name if rule else "given", reason=rule.reason if rule else "")
    elif rule and new != value and (name not in draft.derived or rule.name.startswith("token-id")):
        draft.choose(name, new, rule=rule.name, reason=rule.reason)
    elif isinstance(value, tuple) and name not in draft.derived:
        # Unchanged, but as a checkpoint's JSON would give it: models add such lists to lists of their own.
        draft.chosen[name] = list(value)


def _by_rule(draft: Draft, name: str, value: Any) -> tuple[FieldRule | None, Any]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return None, value
    if isinstance(value, float):
        rules: tuple[FieldRule, ...] = FLOAT_RULES
    else:
        rules = SCALAR_RULES if isinstance(value, int) else LIST_RULES if _numbers(value) else ()
    for rule in rules:
        if rule.fits(name):
            return (rule, rule.apply(value, draft)) if draft.allows(rule.kind) else (None, value)
    return None, value


def _numbers(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(entry, (int, float, list, tuple)) and not isinstance(entry, bool) for entry in value)
    )
