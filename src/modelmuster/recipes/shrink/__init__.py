"""Shrinking a config by rules: the arguments for a tiny config, and what each rule did to get there."""

from __future__ import annotations

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


STATED_LISTS = frozenset({Kind.LIST_WIDTH, Kind.IMAGE, Kind.HEADS})
"""Kinds of lists that classes state as constants where the field is None."""


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
    elif rule and new != value and (name not in draft.derived or _stated(rule, value)):
        draft.choose(name, new, rule=rule.name, reason=rule.reason)
    elif isinstance(value, tuple) and name not in draft.derived:
        # Unchanged, but as a checkpoint's JSON would give it: models add such lists to lists of their own.
        draft.chosen[name] = list(value)


def _stated(rule: FieldRule, value: Any) -> bool:
    """Whether a class that fills the field itself states a value rather than computing it from smaller ones."""
    return rule.name.startswith("token-id") or (isinstance(value, (list, tuple)) and rule.kind in STATED_LISTS)


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
