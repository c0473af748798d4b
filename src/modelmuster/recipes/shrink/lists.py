"""Rules for lists of integers: widths, depths and heads by stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.fields import FLAT_PATCH, NOT_WIDTH, TOKEN_ID, WIDTH, WIDTH_AFTER_ALL, image_size
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


@field_rule(
    r"depths?$|num_blocks|layers|n_blocks|blocks_repeat|num_conv_blocks|^block_sizes$",
    Kind.DEPTHS,
    but_not=r"index|indices",
)
def depths(values: Any, _draft: Draft) -> Any:
    """At most two blocks a stage, one where there are many; the stages themselves are all kept."""
    most = sizes.LAYERS if len(values) <= sizes.MOST_LAYERS else 1
    return each(values, lambda value: min(value, most))


@field_rule(r"(block|resnet|stage)_configs$|^resnet_head$|^bridge_connector$|^out_point_positions2d$", Kind.LIST_WIDTH)
def block_tables(values: Any, _draft: Draft) -> Any:
    """Of the rows that describe one block each, a stage keeps the first and the last; widths in them are narrowed."""
    shorter = [[stage[0], stage[-1]] if _is_long_stage(stage) else stage for stage in values]
    # Kernels and strides are so small that the map of widths leaves them.
    return each(shorter, sizes.width)


def _is_long_stage(stage: Any) -> bool:
    return isinstance(stage, (list, tuple)) and len(stage) > sizes.LAYERS and isinstance(stage[0], (list, tuple))


@field_rule(r"^(embed_dim_per_stage|backbone_channel_list)$", Kind.LIST_WIDTH)
def distinct_widths(values: Any, _draft: Draft) -> Any:
    """Widths by stage stay different where a change of width is what makes a stage pool."""
    largest_first = sorted(set(values), reverse=True)
    return [sizes.HIDDEN >> largest_first.index(value) for value in values]


@field_rule(r"^channel_multiplier$", Kind.LIST_WIDTH)
def multipliers(values: Any, _draft: Draft) -> Any:
    """Every stage as wide as the first, whose normalisation in 32 groups fixes it at 32 or more."""
    return each(values, lambda _value: 1)


@field_rule(r"head", Kind.HEADS, but_not=r"dim")
def stage_heads(values: Any, _draft: Draft) -> Any:
    """Few heads in every stage, which divide the narrow widths."""
    return each(values, sizes.heads)


@field_rule(r"image_size|^img_size$", Kind.IMAGE)
def image_sides(values: Any, draft: Draft) -> Any:
    """Sides of images, each as if it were alone."""
    return each(values, lambda side: image_size.apply(side, draft))


@field_rule(r"^enc_channels$", Kind.LIST_WIDTH)
def gathered_widths(values: Any, _draft: Draft) -> Any:
    """The last stage takes what those between the first and it return, side by side."""
    *stages, last = each(list(values), sizes.width)
    return [*stages, sum(stages[1:]) if values[-1] == sum(values[1:-1]) else last]


@field_rule(WIDTH, Kind.LIST_WIDTH, but_not=NOT_WIDTH)
def stage_widths(values: Any, _draft: Draft) -> Any:
    """Narrow tensors in every stage, by value alone."""
    return each(values, sizes.width)


@field_rule(rf"{WIDTH_AFTER_ALL}|in_channels$", Kind.LIST_WIDTH, but_not=FLAT_PATCH)
def stage_widths_after_all(values: Any, _draft: Draft) -> Any:
    """Widths by stage by the end of the name; a list of input channels is no image's."""
    return each(values, sizes.width)


LIST_RULES: tuple[FieldRule, ...] = (
    token_ids,
    depths,
    block_tables,
    distinct_widths,
    multipliers,
    stage_heads,
    image_sides,
    gathered_widths,
    stage_widths,
    stage_widths_after_all,
)
