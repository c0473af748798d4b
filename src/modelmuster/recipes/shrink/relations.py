"""Relations between fields that the field rules break, mended after each field was shrunk alone."""

from __future__ import annotations

from modelmuster.recipes.shrink import layers, rope
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.rule import Kind, RelationRule, relation_rule

STATE_SPACE_HEADS = (
    ("mamba_n_heads", "mamba_d_head", "mamba_expand"),
    ("mamba_num_heads", "mamba_head_dim", "expand"),
    ("num_heads", "head_dim", "expand"),
    ("n_mamba_heads", "mamba_headdim", "mamba_expand"),
)
"""Names of head count, head width and expansion in the families of state-space configs."""


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


RELATION_RULES: tuple[RelationRule, ...] = (
    latent_attention_heads,
    layers.lists_follow_layers,
    layers.indices_within_layers,
    layers.feature_maps,
    grouped_query_attention,
    state_space_heads,
    positions_of_a_grid,
    rope.rope_sections,
    rope.missing_sections,
)
