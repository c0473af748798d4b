"""Which layers a tiny model keeps, and the lists that have one entry per layer."""

from __future__ import annotations

import re
from typing import Any

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.fields import LAYER_COUNT, SCALAR_RULES, TOKEN_ID
from modelmuster.recipes.shrink.rule import relation_rule

PER_LAYER = re.compile(r"layer|block|types|attn|attention|mlp|rope")
"""Names of lists that say something about each layer: `layer_types`, `layers_block_type`, `no_rope_layers`."""

LAYER_INDICES = re.compile(
    r"index|indices|indexes|_layers$|out_features|layer_idx|selected|layer_ids|attn_indexes|layers_to|blocks$"
)
"""Names of lists of layer numbers: `out_indices`, `global_attn_indexes`, `cross_attention_layers`."""

OUTPUT_LAYERS = ("out_indices", "backbone_out_indices")
"""Lists of the layers whose outputs a neck or a parent config uses, one branch each."""

COUNTS_PER_STAGE = re.compile(r"depth|num_|^layers$|encoder_layers|decoder_layers|proj_layers|hidden_sizes")

LAYER_INDEX = re.compile(
    r"layer_(idx|index|id)|_at_layer|_layer_offset|feature_layer|max_window_layers|_layer$|select_layer"
)
"""Names of single layer numbers: `vision_feature_layer`, `max_window_layers`."""


def keep_layers(draft: Draft) -> None:
    """Decide how many layers the config keeps, and which: one for each distinct kind, in order, at least two.

    Lists of strings, and lists of zeros and ones, with one entry per layer are read side by side; the first layer of
    each distinct combination is kept. Hybrid models so keep their state-space and their attention layers, and models
    with dense and sparse layers keep both.
    """
    lists = {name: values for name, values in draft.values.items() if _tells_kinds(name, values)}
    lengths = [len(values) for values in lists.values()]
    if not lengths or not draft.allows("layers"):
        return
    declared = draft.number("num_hidden_layers")
    count = declared if declared in lengths else max(lengths)
    rows = list(zip(*(values for values in lists.values() if len(values) == count), strict=True))
    kept = [rows.index(row) for row in dict.fromkeys(rows)]
    kept += [index for index in range(count) if index not in kept][: max(0, sizes.LAYERS - len(kept))]
    draft.kept_layers = tuple(sorted(kept)[: sizes.MOST_LAYERS])
    draft.layers = len(draft.kept_layers)
    draft.per_layer_length = count


def keep_output_layers(draft: Draft) -> None:
    """Keep as many layers as a backbone gives feature maps, else several maps would come from one layer.

    Where lists of widths and depths have one entry per layer, the layers are stages, and all of them are kept.
    """
    count = draft.number("num_hidden_layers")
    stages = [name for name in ("depths", "hidden_sizes") if isinstance(draft.values.get(name), (list, tuple))]
    if any(len(draft.values[name]) == count for name in stages):
        draft.layers = count or draft.layers
    for name in OUTPUT_LAYERS:
        outputs = draft.get(name)
        if count and not stages and isinstance(outputs, (list, tuple)) and len(outputs) > 1:
            draft.layers = max(draft.layers, min(count, len(outputs)))


def per_layer_entry(draft: Draft, name: str, value: Any) -> bool:
    """Whether the field is a list with one entry per layer, to be cut to the layers that are kept."""
    return (
        draft.kept_layers is not None
        and isinstance(value, (list, tuple))
        and len(value) == draft.per_layer_length
        and not re.search(TOKEN_ID, name.lower())
    )


@relation_rule
def lists_follow_layers(draft: Draft) -> None:
    """A list with one entry per layer is as long as the smaller number of layers."""
    for old, new in _layer_counts(draft):
        for name, before in draft.values.items():
            value = draft.chosen.get(name, before)
            if not isinstance(before, (list, tuple)) or name.startswith("out_"):
                continue
            # Short lists may have the length of the layer count by chance, such as the means of three colours.
            if len(before) == old == len(value) and (old > sizes.MOST_LAYERS or "layer" in name):
                draft.choose(name, list(value)[:new], rule="lists-follow-layers", reason=lists_follow_layers.reason)


@relation_rule
def indices_within_layers(draft: Draft) -> None:
    """Layer numbers point at layers that exist."""
    for old, new in _layer_counts(draft):
        for name, before in draft.values.items():
            value = draft.chosen.get(name, before)
            if _is_index_list(name, before) and new <= max(before) <= old:
                kept = sorted({min(index, new - 1) for index in before})
                draft.choose(name, kept, rule="indices-within-layers", reason=indices_within_layers.reason)
            elif _is_index(name, value) and value >= new:
                draft.choose(name, new - 1, rule="indices-within-layers", reason=indices_within_layers.reason)


@relation_rule
def feature_maps(draft: Draft) -> None:
    """A backbone returns the maps of its last layers, as many as by default: its parent has a branch for each."""
    count = draft.chosen.get("num_hidden_layers")
    for name in OUTPUT_LAYERS:
        outputs = draft.before(name)
        if not isinstance(outputs, (list, tuple)) or not outputs:
            continue
        if isinstance(count, int) and count >= len(outputs):
            # Feature maps of backbones are counted from the embeddings, those of other configs from the first layer.
            last = count if name == "out_indices" else count - 1
            last_ones = list(range(last + 1 - len(outputs), last + 1))
            draft.choose(name, last_ones, rule=feature_maps.name, reason=feature_maps.reason)
            draft.chosen.pop("out_features", None)
        elif draft.path and name == "out_indices" and not isinstance(count, int):
            draft.choose(name, list(outputs), rule=feature_maps.name, reason=feature_maps.reason)


@relation_rule
def layers_apart(draft: Draft) -> None:
    """What single layers have apart from the others, such as wider heads, is shrunk like what all have."""
    apart = draft.config.to_dict().get("per_layer_config") if hasattr(draft.config, "per_layer_config") else None
    if not apart or draft.kept_layers is None:
        return
    by_layer = {int(index): fields for index, fields in apart.items()}
    kept = {
        str(place): {name: _shrunk_alone(draft, name, value) for name, value in by_layer[index].items()}
        for place, index in enumerate(draft.kept_layers)
        if index in by_layer
    }
    draft.choose("per_layer_config", kept, rule=layers_apart.name, reason=layers_apart.reason)


def _shrunk_alone(draft: Draft, name: str, value: Any) -> Any:
    rule = next((rule for rule in SCALAR_RULES if rule.fits(name)), None)
    return rule.apply(value, draft) if rule and isinstance(value, int) and draft.allows(rule.kind) else value


def _tells_kinds(name: str, values: Any) -> bool:
    if not isinstance(values, (list, tuple)) or len(values) < 2 or not PER_LAYER.search(name):
        return False
    return all(isinstance(value, str) for value in values)


def _layer_counts(draft: Draft) -> list[tuple[int, int]]:
    """Pairs of the default and the smaller number, for each layer count of the config that shrank."""
    found = []
    for name, old in draft.values.items():
        if isinstance(old, int) and not isinstance(old, bool) and re.search(LAYER_COUNT, name):
            new = draft.chosen.get(name, old)
            if isinstance(new, int) and new < old:
                found.append((old, new))
    return found


def _is_index(name: str, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and bool(LAYER_INDEX.search(name)) and not re.search(LAYER_COUNT, name)


def _is_index_list(name: str, values: Any) -> bool:
    return (
        isinstance(values, (list, tuple))
        and bool(values)
        and all(isinstance(value, int) and not isinstance(value, bool) for value in values)
        and bool(LAYER_INDICES.search(name))
        and not COUNTS_PER_STAGE.search(name)
    )
