"""Rules for lists of integers: widths, depths and heads by stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.fields import NOT_WIDTH, TOKEN_ID, WIDTH
from modelmuster.recipes.shrink.rule import FieldRule, Kind, field_rule


def each(values: Any, change: Callable[[int], int]) -> Any:
    """The nested list with every integer changed; its shape is kept."""
    if isinstance(values, (list, tuple)):
        return type(values)(each(entry, change) for entry in values)
    return change(values) if isinstance(values, int) and not isinstance(values, bool) else values


@field_rule(TOKEN_ID, Kind.VOCABULARY)
def token_ids(values: Any, draft: Draft) -> Any:
    """Special token ids must lie inside the small vocabulary and stay distinct."""
    return draft.tokens.move(values)


@field_rule(r"depths?$|num_blocks|layers|n_blocks|blocks_repeat|num_conv_blocks", Kind.DEPTHS, but_not=r"index|indices")
def depths(values: Any, _draft: Draft) -> Any:
    """At most two blocks a stage; the stages themselves are all kept."""
    return each(values, lambda value: min(value, sizes.LAYERS))


@field_rule(r"head", Kind.HEADS, but_not=r"dim")
def stage_heads(values: Any, _draft: Draft) -> Any:
    """Few heads in every stage, which divide the narrow widths."""
    return each(values, sizes.heads)


@field_rule(r"image_size|^img_size$", Kind.IMAGE)
def image_sides(values: Any, _draft: Draft) -> Any:
    """Images of 64 pixels a side."""
    return each(values, lambda value: min(value, sizes.IMAGE))


@field_rule(WIDTH, Kind.LIST_WIDTH, but_not=NOT_WIDTH)
def stage_widths(values: Any, _draft: Draft) -> Any:
    """Narrow tensors in every stage, by value alone."""
    return each(values, sizes.width)


LIST_RULES: tuple[FieldRule, ...] = (token_ids, depths, stage_heads, image_sides, stage_widths)
