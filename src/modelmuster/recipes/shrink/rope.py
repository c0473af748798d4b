"""Rotary position embeddings: sections and factors that must add up to half a head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.rule import Kind, relation_rule

LEAST_ROTATED = 4
"""Width of the rotated part of a head: the first of its two frequencies is one, whatever the base."""


def rotated_half(draft: Draft, parameters: Mapping[str, Any]) -> int:
    """Number of frequencies: half of the rotated part of a head."""
    part = parameters.get("partial_rotary_factor") or draft.get("partial_rotary_factor") or 1.0
    return max(1, int(_head(draft) * (part if isinstance(part, (int, float)) else 1.0)) // 2)


def _head(draft: Draft) -> int:
    # A head width that the class derives is computed again for the smaller sizes.
    own = draft.name_of("head_dim")
    head = draft.number("head_dim") if own in draft.chosen or own in draft.values.keys() - draft.derived else None
    if head is None:
        hidden, heads = draft.number("hidden_size"), draft.number("num_attention_heads")
        head = hidden // heads if hidden and heads else sizes.HEAD_DIM
    return head


def split(total: int, shares: list[int]) -> list[int]:
    """`total` divided in about the proportions of `shares`, at least one each; the first takes the remainder."""
    parts = [max(1, round(share * total / sum(shares))) for share in shares]
    parts[0] += total - sum(parts)
    return parts


@relation_rule
def rope_sections(draft: Draft) -> None:
    """Sections and factors have one entry per frequency of the smaller heads, of which there are at least two."""
    before = draft.values.get("rope_parameters") or draft.values.get("rope_scaling")
    if not isinstance(before, Mapping) or "rope_parameters" not in draft.values:
        return
    if any(isinstance(entry, Mapping) for entry in before.values()):
        after: dict[str, Any] = {
            key: _fitted(draft, entry) if isinstance(entry, Mapping) else entry for key, entry in before.items()
        }
    else:
        after = _fitted(draft, before)
    if after != before:
        draft.choose("rope_parameters", after, rule=rope_sections.name, reason=rope_sections.reason)


@relation_rule
def missing_sections(draft: Draft) -> None:
    """Configs that allow `mrope_section` have models that need it, though the default leaves it out."""
    allowed = getattr(type(draft.config), "ignore_keys_at_rope_validation", None) or ()
    current = draft.chosen.get("rope_parameters") or draft.values.get("rope_parameters") or {}
    if "mrope_section" not in allowed or not draft.allows(Kind.HEAD_DIM) or "mrope_section" in current:
        return
    if any(isinstance(entry, Mapping) for entry in current.values()) or not current.get("rope_theta"):
        return
    half = max(3, rotated_half(draft, current))
    time = max(1, half // 4)
    space = (half - time) // 2
    chosen = {"rope_type": "default", **current, "mrope_section": [half - 2 * space, space, space]}
    draft.choose("rope_parameters", chosen, rule=missing_sections.name, reason=missing_sections.reason)


def _rotated_share(draft: Draft, value_of: Callable[[str], Any]) -> float | None:
    """With latent attention, the rotated part of a query head; None without it."""
    rotated, rest = value_of("qk_rope_head_dim"), value_of("qk_nope_head_dim")
    if "qk_rope_head_dim" not in draft.values or not rotated or not rest:
        return None
    return float(rotated / (rotated + rest))


def _fitted(draft: Draft, parameters: Mapping[str, Any]) -> dict[str, Any]:
    fitted = dict(parameters)
    share, part = _rotated_share(draft, draft.before), parameters.get("partial_rotary_factor")
    if share is not None and part == share:
        fitted["partial_rotary_factor"] = _rotated_share(draft, draft.get)
    elif share is None and isinstance(part, float) and _head(draft) * part < LEAST_ROTATED <= _head(draft):
        fitted["partial_rotary_factor"] = LEAST_ROTATED / _head(draft)
    half = rotated_half(draft, fitted)
    for key, value in parameters.items():
        if key.endswith("section") and isinstance(value, (list, tuple)):
            fitted[key] = split(half, list(value))
        elif key in {"short_factor", "long_factor"} and isinstance(value, (list, tuple)):
            fitted[key] = list(value)[:half]
        elif key == "original_max_position_embeddings" and isinstance(value, int):
            fitted[key] = min(value, sizes.POSITIONS // 2)
    return fitted
