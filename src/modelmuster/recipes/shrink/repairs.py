"""Repairs: values for fields that the defaults leave None although the model needs them, tried after a failure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import jsonable, read
from modelmuster.records import Applied

PLACEHOLDER_TOKENS = {"image": sizes.VOCABULARY - 8, "audio": sizes.VOCABULARY - 9, "video": sizes.VOCABULARY - 10}
"""Ids for placeholders of other modalities, below the special ids that were moved to the top of the vocabulary."""

REASON = "The default is None, though the model needs a value."


def fill_missing(arguments: dict[str, Any], config: Any) -> tuple[dict[str, Any], tuple[Applied, ...]]:
    """The arguments with values for fields that are None in the built config and that models are known to need.

    Args:
        arguments: what the config was built from; not changed.
        config: the built config.
    """
    import copy

    filled: dict[str, Any] = copy.deepcopy(arguments)
    applied = []
    for path, part in _parts(config):
        place = filled
        for name in path:
            place = place.setdefault(name, {"model_type": part.model_type})
        for field, value in _values(part):
            if field in vars(part) and vars(part)[field] is None:
                place[field] = value
                dotted = ".".join((*path, field))
                applied.append(Applied(rule="fill-missing", field=dotted, after=jsonable(value), reason=REASON))
    return filled, tuple(applied)


def _values(config: Any) -> Iterator[tuple[str, Any]]:
    """Candidates for missing fields, those that follow from others first."""
    hidden, heads, layers = (read(config, name) for name in ("hidden_size", "num_attention_heads", "num_hidden_layers"))
    if isinstance(hidden, int) and isinstance(heads, int) and heads:
        yield "head_dim", hidden // heads
        yield "num_key_value_heads", heads
    if isinstance(layers, int):
        yield "layer_types", ["full_attention"] * layers
        yield "mlp_layer_types", ["dense"] + ["sparse"] * (layers - 1)
    yield from CONSTANTS.items()
    for field in list(vars(config)):
        found = re.fullmatch(r"(image|audio|video)_token_(id|index)", field)
        if found:
            yield field, PLACEHOLDER_TOKENS[found[1]]


CONSTANTS: dict[str, Any] = {
    "vocab_size": sizes.VOCABULARY,
    "pad_token_id": 0,
    "decoder_start_token_id": 1,
    "prediction_length": 8,
    "n_routed_experts": sizes.EXPERTS,
    "n_shared_experts": 1,
    "num_experts_per_tok": sizes.EXPERTS_PER_TOKEN,
    "moe_topk": sizes.EXPERTS_PER_TOKEN,
    "n_group": 1,
    "topk_group": 1,
    "num_experts": sizes.EXPERTS,
    "top_k_experts": sizes.EXPERTS_PER_TOKEN,
    "moe_intermediate_size": 32,
    "intermediate_size": sizes.HIDDEN,
    "sliding_window": sizes.WINDOW,
    "indexer_n_heads": sizes.INDEX_HEADS,
    "indexer_kv_heads": 1,
    "indexer_head_dim": sizes.HEAD_DIM,
    "indexer_budget": sizes.WINDOW,
    "indexer_compress_ratio": 2,
    "decoder_hidden_size": sizes.HIDDEN,
    "decoder_depth": 1,
    "decoder_num_heads": sizes.HEADS,
    "default_language": "en_XX",
}
"""What is missing in configs whose real values live only in checkpoints."""


def _parts(config: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    from transformers import PreTrainedConfig

    yield (), config
    for name, value in list(vars(config).items()):
        if isinstance(value, PreTrainedConfig):
            yield from (((name, *path), part) for path, part in _parts(value))


Repair = Callable[[dict[str, Any], Any], tuple[dict[str, Any], tuple[Applied, ...]]]
"""Takes the arguments and the config built from them; gives new arguments and what was done."""
