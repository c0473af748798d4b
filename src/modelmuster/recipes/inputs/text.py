"""Text: token ids with their masks, segments and decoder ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, CHOICES, SEQUENCE, TARGET_SEQUENCE
from modelmuster.recipes.inputs.sizes import value_of
from modelmuster.records import Modality


def tokens(callee: Callee, draw: Draw, *shape: int) -> torch.Tensor:
    """Ids without a special meaning, int64, from the whole vocabulary."""
    return draw.choice(callee.sizes.plain(callee.sizes.vocabulary), *shape)


def target_tokens(callee: Callee, draw: Draw, *shape: int) -> torch.Tensor:
    """The same for the vocabulary of the decoder."""
    return draw.choice(callee.sizes.plain(callee.sizes.target_vocabulary), *shape)


def segments(callee: Callee, ids: torch.Tensor) -> torch.Tensor | None:
    """Token types with both values, the second half of each row being the second segment.

    None where the config leaves one type only. TAPAS has several columns of types, each with a vocabulary of its own.
    """
    sizes = callee.sizes
    length = ids.shape[-1]
    second = (torch.arange(length) >= length // 2).long().expand(ids.shape)
    columns = value_of(sizes.config, "type_vocab_sizes")
    if isinstance(columns, (list, tuple)):
        return torch.stack([second.clamp(max=int(size) - 1) for size in columns], dim=-1)
    stated = sizes.number(("type_vocab_size",), Modality.TEXT)
    if stated is not None and stated < 2:
        return None
    return second.clone()


def text_arguments(callee: Callee, draw: Draw, ids: torch.Tensor | None = None) -> dict[str, Any]:
    """Arguments of `forward` for a batch of texts.

    Args:
        callee: the model.
        draw: where values come from.
        ids: token ids [batch, sequence] that are given already, placeholders of other modalities among them.
    """
    made = {"input_ids": tokens(callee, draw, BATCH, SEQUENCE) if ids is None else ids}
    ids = made["input_ids"]
    if callee.takes("attention_mask"):
        made["attention_mask"] = torch.ones(ids.shape[:2], dtype=torch.long)
    if callee.takes("token_type_ids"):
        types = segments(callee, ids)
        if types is not None:
            made["token_type_ids"] = types
    return made


def has_decoder(callee: Callee) -> bool:
    """Whether ids for a decoder reach one: some models name them but may be built around a language model alone."""
    if value_of(callee.config, "use_decoder_only_language_model"):
        return False
    return callee.takes("decoder_input_ids")


def decoder_arguments(callee: Callee, draw: Draw) -> dict[str, Any]:
    """Token ids for the decoder of a model that has an encoder of its own; nothing for other models."""
    if not has_decoder(callee):
        return {}
    return {"decoder_input_ids": target_tokens(callee, draw, BATCH, TARGET_SEQUENCE)}


def choices(made: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a text [batch, …] as several texts to choose from [batch, choices, …]."""
    return {
        name: torch.stack(
            [value.roll(turn, dims=1) if name == "input_ids" else value for turn in range(CHOICES)], dim=1
        )
        for name, value in made.items()
    }


def asking(arguments: dict[str, Any], question: int) -> dict[str, Any]:
    """The same texts with the mark of a question in each, whose answer is a span of the text."""
    ids = arguments["input_ids"].clone()
    ids[:, 1] = question
    return {**arguments, "input_ids": ids}


def ended(callee: Callee, made: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a text that ends with its end token, where a classifier reads its answer off.

    The decoder reads the same text: that is where these models look for the end.
    """
    found = dict(made)
    end = callee.sizes.token(("eos_token_id",))
    if end is not None:
        found["input_ids"] = found["input_ids"].clone()
        found["input_ids"][:, -1] = end
    return {**found, "decoder_input_ids": found["input_ids"].clone()}
