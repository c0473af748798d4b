"""Relations between fields that the field rules break, mended after each field was shrunk alone."""

from __future__ import annotations

from modelmuster.recipes.shrink import layers, rope, sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.rule import Kind, RelationRule, relation_rule

STATE_SPACE_HEADS = (
    ("mamba_n_heads", "mamba_d_head", "mamba_expand"),
    ("mamba_num_heads", "mamba_head_dim", "expand"),
    ("num_heads", "head_dim", "expand"),
    ("n_mamba_heads", "mamba_headdim", "mamba_expand"),
)
"""Names of head count, head width and expansion in the families of state-space configs."""


STAND_IN = "test_efficientnet"
"""A model that timm has for tests: 0.3 MB, with maps at five scales like the backbones it stands in for."""
STAND_IN_WIDTH = 256
"""Channels of its last map."""

RATIOS = ("downsampling_ratios", "upsampling_ratios")
"""Names of lists with one entry per change of resolution, at each of which widths double."""

LEAST_NORMALISED = 8
"""Fewer features would lose all but their signs where they are normalised."""

DOUBLED = ("embed_dim", "patch_embeds_hidden_size", "num_filters", "n_filters", "encoder_hidden_size")
"""Names of the first width where later ones are computed."""


@relation_rule
def grouped_query_attention(draft: Draft) -> None:
    """Key-value heads divide the heads, and stay fewer than them but more than one where the default has that."""
    name = draft.name_of("num_key_value_heads")
    heads, old_heads, old = draft.number("num_attention_heads"), draft.before("num_attention_heads"), draft.before(name)
    if not heads or not isinstance(old, int) or not isinstance(old_heads, int) or not draft.values.get(name):
        return
    if not draft.allows(Kind.HEADS):
        return
    new = heads if old == old_heads else 1 if old == 1 else max(1, heads // 2)
    draft.choose(name, new, rule=grouped_query_attention.name, reason=grouped_query_attention.reason)


@relation_rule
def state_space_heads(draft: Draft) -> None:
    """In a state-space layer, heads × head width = expansion × hidden size."""
    for count, width, expansion in STATE_SPACE_HEADS:
        hidden, size, factor = draft.number("hidden_size"), draft.number(width), draft.get(expansion)
        if count in draft.values and expansion in draft.values and hidden and size and draft.number(count):
            factor = factor if isinstance(factor, (int, float)) and factor else 2
            heads = max(1, int(factor * hidden) // size)
            draft.choose(count, heads, rule=state_space_heads.name, reason=state_space_heads.reason)
            if draft.values.get("mamba_d_ssm"):
                draft.choose("mamba_d_ssm", heads * size, rule=state_space_heads.name, reason=state_space_heads.reason)


@relation_rule
def latent_attention_heads(draft: Draft) -> None:
    """With latent attention a query head is its rotated part plus the rest, and `head_dim` is the rotated part."""
    rotated, rest = draft.get("qk_rope_head_dim"), draft.get("qk_nope_head_dim")
    name, reason = latent_attention_heads.name, latent_attention_heads.reason
    if "qk_rope_head_dim" in draft.chosen and draft.values.get("head_dim") == draft.values["qk_rope_head_dim"]:
        draft.choose("head_dim", rotated, rule=name, reason=reason)
    if "qk_head_dim" in draft.chosen:
        draft.choose("qk_head_dim", (rest or 0) + (rotated or 0), rule=name, reason=reason)


@relation_rule
def positions_of_a_grid(draft: Draft) -> None:
    """A table with a row for each place of a learned grid has as many rows as the smaller grid has places."""
    sides = ("pos_emb_height", "pos_emb_width")
    before, after = (
        [value for side in sides if isinstance(value := read(side), int)] for read in (draft.before, draft.get)
    )
    if len(before) == 2 and draft.before("max_position_embeddings") == before[0] * before[1]:
        count = after[0] * after[1]
        name, reason = positions_of_a_grid.name, positions_of_a_grid.reason
        draft.choose("max_position_embeddings", count, rule=name, reason=reason)


@relation_rule
def doubled_widths(draft: Draft) -> None:
    """A width that doubles at every stage starts so narrow that it ends near the width of other models."""
    name = next((name for name in DOUBLED if draft.number(name) and name in draft.values), None)
    ratios = next((values for values in map(draft.values.get, RATIOS) if isinstance(values, (list, tuple))), None)
    stages = _stages(draft) if ratios is None else len(ratios)
    if name and stages and draft.allows(Kind.WIDTH):
        before = draft.before(name)
        first = min(before, LEAST_NORMALISED if ratios is None else max(2, sizes.HIDDEN >> stages))
        draft.choose(name, first, rule=doubled_widths.name, reason=doubled_widths.reason)
        if draft.before("hidden_size") == before << stages:
            draft.choose("hidden_size", first << stages, rule=doubled_widths.name, reason=doubled_widths.reason)
    by_stage = draft.chosen.get("embed_dim_per_stage")
    if by_stage:
        draft.choose("hidden_size", by_stage[0], rule=doubled_widths.name, reason=doubled_widths.reason)


@relation_rule
def halved_widths(draft: Draft) -> None:
    """A width that halves at every change of rate starts so wide that two channels are left at the end."""
    name, rates = "upsample_initial_channel", draft.values.get("upsample_rates")
    if name in draft.chosen and isinstance(rates, (list, tuple)):
        least = min(draft.before(name), 2 << len(rates))
        first = max(draft.chosen[name], least)
        draft.choose(name, first, rule=halved_widths.name, reason=halved_widths.reason)


def _stages(draft: Draft) -> int:
    """How often widths double between the stages of a transformer; never, where each has the same number of heads."""
    depths, heads = draft.values.get("depths"), draft.before("num_attention_heads")
    same = isinstance(heads, (list, tuple)) and len(set(heads)) == 1 and heads[0] > 1
    return len(depths) - 1 if isinstance(depths, (list, tuple)) and not same else 0


@relation_rule
def feature_levels(draft: Draft) -> None:
    """The last of several levels is one pixel, of which 32 groups of a single channel would leave rounding errors."""
    if "two_stage" in draft.values and draft.number("num_feature_levels") and draft.number("d_model") == sizes.HIDDEN:
        draft.choose("d_model", 2 * sizes.HIDDEN, rule=feature_levels.name, reason=feature_levels.reason)


@relation_rule
def stand_in(draft: Draft) -> None:
    """Timm's models have no sizes to shrink; its own model for tests stands in, without arguments meant for another."""
    if "architecture" not in draft.values and draft.config.model_type != "timm_backbone":
        return
    if draft.extra.pop("hidden_size", None):
        # Nothing of timm reads it, but the connector to a language model does.
        draft.choose("hidden_size", STAND_IN_WIDTH, rule=stand_in.name, reason=stand_in.reason)
    draft.extra.clear()
    for name, value in {"architecture": STAND_IN, "backbone": STAND_IN, "model_args": None}.items():
        if name in draft.values:
            draft.choose(name, value, rule=stand_in.name, reason=stand_in.reason)


RELATION_RULES: tuple[RelationRule, ...] = (
    latent_attention_heads,
    layers.lists_follow_layers,
    layers.indices_within_layers,
    layers.feature_maps,
    layers.layers_apart,
    grouped_query_attention,
    state_space_heads,
    positions_of_a_grid,
    doubled_widths,
    halved_widths,
    feature_levels,
    stand_in,
    rope.rope_sections,
    rope.missing_sections,
)
