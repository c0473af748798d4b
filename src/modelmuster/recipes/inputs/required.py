"""Arguments that a model insists on, or is meaningless without, each by its name in `forward`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, TARGET_SEQUENCE
from modelmuster.recipes.inputs.sizes import CODEBOOK_SIZE, FRAMES
from modelmuster.recipes.inputs.text import target_tokens, tokens
from modelmuster.records import Modality

Filler = Callable[[Callee, Draw, dict[str, Any]], Any]
"""Makes one argument; sees the arguments that are made already."""

REGIONS = 10
"""Detected regions of an image, for models that take regions instead of pixels."""
EVENTS = 8
"""Steps of a trajectory or latents of a bottleneck."""


def _length(made: dict[str, Any]) -> int:
    ids = made.get("input_ids")
    return ids.shape[1] if isinstance(ids, torch.Tensor) else SEQUENCE


def boxes(draw: Draw, count: int) -> torch.Tensor:
    """Boxes [batch, count, 4] as left, top, right, bottom with left < right and top < bottom, in 0..99."""
    corner = draw.integers(0, 50, BATCH, count, 2)
    return torch.cat([corner, corner + 1 + draw.integers(0, 49, BATCH, count, 2)], dim=-1)


def _number(callee: Callee, *names: str, default: int) -> int:
    return callee.sizes.number(names) or default


def _hidden(callee: Callee, draw: Draw, made: dict[str, Any]) -> Any:
    return draw.normal(BATCH, _length(made), callee.sizes.width)


def _mask(_callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    return torch.ones(BATCH, _length(made), dtype=torch.long)


def _short_tokens(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    return tokens(callee, draw, BATCH, TARGET_SEQUENCE)


def _codes(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    high = callee.sizes.number(CODEBOOK_SIZE, Modality.AUDIO) or 16
    return draw.integers(0, high, BATCH, callee.sizes.codebooks or 4, EVENTS)


def _clip(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    frames = callee.sizes.number(FRAMES, Modality.VIDEO) or 4
    return draw.normal(BATCH, frames, callee.sizes.channels, *callee.sizes.image)


FILLERS: dict[str, Filler] = {
    "bbox": lambda _callee, draw, made: boxes(draw, _length(made)),
    "inputs_embeds": _hidden,
    "hidden_states": _hidden,
    "encoder_hidden_states": _hidden,
    "image_features": _hidden,
    "vision_features": _hidden,
    "text_features": _hidden,
    "context": _hidden,
    "context_hidden_states": _hidden,
    "noise_embeds": _hidden,
    "patch_embeds": _hidden,
    "query_embeds": _hidden,
    "decoder_queries": _hidden,
    "latents": lambda callee, draw, _made: draw.normal(BATCH, callee.sizes.width, EVENTS),
    "decoder_input_ids": lambda callee, draw, _made: target_tokens(callee, draw, BATCH, TARGET_SEQUENCE),
    "input_ids": lambda callee, draw, _made: tokens(callee, draw, BATCH, SEQUENCE),
    "attention_mask": _mask,
    "mask": _mask,
    "qformer_input_ids": _short_tokens,
    "task_inputs": lambda callee, draw, _made: tokens(
        callee, draw, BATCH, _number(callee, "task_seq_len", default=TARGET_SEQUENCE)
    ),
    "classes_input_ids": _short_tokens,
    "tasks_input_ids": _short_tokens,
    "pixel_values": lambda callee, draw, _made: draw.normal(BATCH, callee.sizes.channels, *callee.sizes.image),
    "image": lambda callee, draw, _made: draw.normal(BATCH, callee.sizes.channels, *callee.sizes.image),
    "pixel_values_videos": _clip,
    "merge_sizes": lambda callee, _draw, _made: torch.full((BATCH,), callee.sizes.merge),
    "image_merge_sizes": lambda callee, _draw, _made: torch.full((BATCH,), callee.sizes.merge),
    "video_merge_sizes": lambda callee, _draw, _made: torch.full((BATCH,), callee.sizes.merge),
    "visual_feats": lambda callee, draw, _made: draw.normal(
        BATCH, REGIONS, _number(callee, "visual_feat_dim", default=callee.sizes.width)
    ),
    "visual_pos": lambda _callee, draw, _made: draw.uniform(BATCH, REGIONS, 4),
    "visual_embeds": lambda callee, draw, _made: draw.normal(
        BATCH, REGIONS, _number(callee, "visual_embedding_dim", default=callee.sizes.width)
    ),
    "audio_codes": _codes,
    "codes": _codes,
    "state": lambda callee, draw, _made: draw.normal(
        BATCH, _number(callee, "max_state_dim", "state_dim", default=callee.sizes.width)
    ),
    "states": lambda callee, draw, _made: draw.normal(BATCH, EVENTS, _number(callee, "state_dim", default=8)),
    "actions": lambda callee, draw, _made: draw.normal(BATCH, EVENTS, _number(callee, "act_dim", default=4)),
    "rewards": lambda _callee, draw, _made: draw.normal(BATCH, EVENTS, 1),
    "returns_to_go": lambda _callee, draw, _made: draw.normal(BATCH, EVENTS, 1),
    "timesteps": lambda _callee, _draw, _made: torch.arange(EVENTS).expand(BATCH, -1).clone(),
    "input_shape_ids": lambda callee, draw, made: draw.integers(
        1, _number(callee, "shape_vocab_size", default=8), BATCH, _length(made)
    ),
    "input_pronunciation_ids": lambda callee, draw, made: draw.integers(
        1, _number(callee, "pronunciation_vocab_size", default=8), BATCH, _length(made)
    ),
    "lang_ids": lambda _callee, _draw, _made: torch.zeros(BATCH, dtype=torch.long),
}
"""How to make each argument. Shapes follow the docstrings of the models that take it."""

COMPANIONS = frozenset(
    {
        "bbox",
        "visual_feats",
        "visual_pos",
        "visual_embeds",
        "states",
        "actions",
        "rewards",
        "returns_to_go",
        "timesteps",
        "input_shape_ids",
        "input_pronunciation_ids",
        "image_merge_sizes",
    }
)
"""Optional arguments that are filled nevertheless: without them a modality would be missing."""


def complete(callee: Callee, draw: Draw, made: dict[str, Any]) -> dict[str, Any]:
    """Drop what `forward` does not name, add what it requires and the companions; order is that of `forward`.

    A required argument that is not known here stays away, so that the model's own error names it.
    """
    made = {name: value for name, value in made.items() if name in callee.parameters}
    for name in callee.parameters:
        wanted = name in callee.required or name in COMPANIONS
        filler = FILLERS.get(name)
        if wanted and name not in made and filler is not None:
            made[name] = filler(callee, draw, made)
    return {name: made[name] for name in callee.parameters if name in made}
