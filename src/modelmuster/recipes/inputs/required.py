"""Arguments that a model insists on, or is meaningless without, each by its name in `forward`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, TARGET_SEQUENCE, Layout
from modelmuster.recipes.inputs.sizes import CODEBOOK_SIZE, FRAMES, nested, square, value_of
from modelmuster.recipes.inputs.text import target_tokens, tokens
from modelmuster.records import Modality

Filler = Callable[[Callee, Draw, dict[str, Any]], Any]
"""Makes one argument, or None to leave it out; sees the arguments that are made already."""

REGIONS = 10
"""Detected regions of an image, for models that take regions instead of pixels."""
POINTS = 2
"""Points per prompt of a segmentation model: one on the object, one off it."""
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


def encoder_states(callee: Callee, draw: Draw) -> torch.Tensor:
    """What an encoder of the width that the config tells made of as many tokens as `SEQUENCE`."""
    names = ("encoder_hidden_size", "cross_attention_hidden_size", "cross_hidden_size")
    return draw.normal(BATCH, SEQUENCE, _number(callee, *names, default=callee.sizes.width))


def _layers_beside(callee: Callee, draw: Draw, made: dict[str, Any]) -> Any:
    """Hidden states of several layers of another model, side by side."""
    layers = value_of(callee.config, "target_layer_ids") or [0]
    return draw.normal(BATCH, _length(made), len(layers) * callee.sizes.width)


def _mask(_callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    return torch.ones(BATCH, _length(made), dtype=torch.long)


def _first_token(_callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    mask = torch.zeros(BATCH, _length(made), dtype=torch.long)
    mask[:, 0] = 1
    return mask


def _short_tokens(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    return tokens(callee, draw, BATCH, TARGET_SEQUENCE)


def _short_mask(_callee: Callee, _draw: Draw, _made: dict[str, Any]) -> Any:
    return torch.ones(BATCH, TARGET_SEQUENCE, dtype=torch.long)


def _codes(callee: Callee, draw: Draw, _made: dict[str, Any], length: int = EVENTS) -> Any:
    high = callee.sizes.number(CODEBOOK_SIZE, Modality.AUDIO) or 16
    return draw.integers(0, high, BATCH, callee.sizes.codebooks or 4, length)


def _clip(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    frames = callee.sizes.number(FRAMES, Modality.VIDEO) or 4
    return draw.normal(BATCH, frames, callee.sizes.channels, *callee.sizes.image)


def _path(callee: Callee, draw: Draw, made: dict[str, Any], limit: str) -> Any:
    """The way to each token through a document tree [batch, sequence, depth], as ids below `limit`."""
    depth = _number(callee, "max_depth", default=EVENTS)
    return draw.integers(0, _number(callee, limit, default=EVENTS), BATCH, _length(made), depth)


def _actions(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    steps = _number(callee, "chunk_size", default=EVENTS) if callee.takes("state") else EVENTS
    return draw.normal(BATCH, steps, _number(callee, "max_action_dim", "act_dim", default=4))


def _noise(callee: Callee, draw: Draw, made: dict[str, Any]) -> Any:
    """Noise like the actions, or one number for each unit of patches that masked autoencoders may hide."""
    if "actions" in callee.parameters:
        return draw.normal(*made["actions"].shape) if "actions" in made else _actions(callee, draw, made)
    (height, width), (down, across) = callee.sizes.image, callee.sizes.patch
    rows, columns = callee.sizes.extent(("masked_unit_size",), Modality.IMAGE) or (1, 1)
    down, across = callee.sizes.extent(("patch_stride",), Modality.IMAGE) or (down, across)
    return draw.uniform(BATCH, (height // (down * rows)) * (width // (across * columns)))


def _hidden_patches(callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    """Every other patch of each row hidden: as many in one row as in another."""
    *_, height, width = made["pixel_values"].shape
    (down, across), frames = callee.sizes.patch, made["pixel_values"].shape[1] if made["pixel_values"].dim() == 5 else 1
    patches = (height // down) * (width // across) * max(1, frames // callee.sizes.temporal_patch)
    return (torch.arange(patches) % 2).bool().expand(BATCH, -1).clone()


def _high_resolution(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    """The same image for a second tower, whose config is the one with a name of its own."""
    for name, part in nested(callee.config):
        sides = square(value_of(part, "image_size"))
        if "high" in name and sides:
            return draw.normal(BATCH, callee.sizes.channels, *sides)
    return draw.normal(BATCH, callee.sizes.channels, *callee.sizes.image)


def _image_attention(_callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    """Every token sees every image of its row [batch, sequence, images]; nothing where rows hold no lists of images."""
    if made["pixel_values"].dim() != 5:
        return None
    return torch.ones(BATCH, _length(made), made["pixel_values"].shape[1], dtype=torch.long)


def _cross_attention(_callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    """Every token sees every tile of every image of its row [batch, sequence, images, tiles]."""
    return torch.ones(BATCH, _length(made), *made["pixel_values"].shape[1:3], dtype=torch.long)


def _audio_lengths(callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    """Vectors that the sound of each row turns into."""
    frames = made["audio_input_features"].shape[1]
    return torch.full((BATCH,), -(-frames // _number(callee, "time_reduction", default=8)))


def _chunk_lengths(_callee: Callee, _draw: Draw, made: dict[str, Any]) -> Any:
    """Samples behind the frames of each chunk, at the usual 160 per frame."""
    return torch.full((BATCH,), 160 * made["input_features"].shape[-1])


def _box_prompts(callee: Callee, draw: Draw, _made: dict[str, Any]) -> Any:
    """One box per image as centre and size, in shares of the image; only for models that take no points (SAM 3)."""
    if not callee.takes("input_boxes_labels"):
        return None
    return 0.25 + 0.5 * draw.uniform(BATCH, 1, 4)


FILLERS: dict[str, Filler] = {
    "bbox": lambda _callee, draw, made: boxes(draw, _length(made)),
    "inputs_embeds": _hidden,
    "hidden_states": _hidden,
    "encoder_hidden_states": lambda callee, draw, _made: encoder_states(callee, draw),
    "last_hidden_state": lambda callee, draw, made: draw.normal(
        BATCH, _length(made), _number(callee, "input_size", default=callee.sizes.width)
    ),
    "backbone_last_hidden_state": lambda callee, draw, _made: draw.normal(
        BATCH, _number(callee, "backbone_hidden_size", default=callee.sizes.width)
    ),
    "image_features": _hidden,
    "vision_features": _hidden,
    "text_features": _hidden,
    "context": _hidden,
    "context_hidden_states": _layers_beside,
    "noise_embeds": _hidden,
    "action_embeds": _hidden,
    "patch_embeds": _hidden,
    "query_embeds": _hidden,
    "decoder_queries": _hidden,
    "latents": lambda callee, draw, _made: draw.normal(BATCH, callee.sizes.width, EVENTS),
    "decoder_input_ids": lambda callee, draw, _made: target_tokens(callee, draw, BATCH, TARGET_SEQUENCE),
    "input_ids": lambda callee, draw, _made: tokens(callee, draw, BATCH, SEQUENCE),
    "attention_mask": _mask,
    "mask": _mask,
    "global_attention_mask": _first_token,
    "qformer_input_ids": _short_tokens,
    "task_inputs": lambda callee, draw, _made: tokens(
        callee, draw, BATCH, _number(callee, "task_seq_len", default=TARGET_SEQUENCE)
    ),
    "classes_input_ids": _short_tokens,
    "tasks_input_ids": _short_tokens,
    "classes_attention_mask": _short_mask,
    "tasks_attention_mask": _short_mask,
    "classes_structure": lambda _callee, _draw, _made: torch.ones(BATCH, dtype=torch.long),
    "pixel_values": lambda callee, draw, _made: draw.normal(BATCH, callee.sizes.channels, *callee.sizes.image),
    "image": lambda callee, draw, _made: draw.normal(BATCH, callee.sizes.channels, *callee.sizes.image),
    "pixel_values_videos": _clip,
    "bool_masked_pos": _hidden_patches,
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
    "codebook_idx": lambda _callee, _draw, _made: 1,
    "user_audio_codes": lambda callee, draw, made: _codes(callee, draw, made, _length(made)),
    "moshi_audio_codes": lambda callee, draw, made: _codes(callee, draw, made, _length(made)),
    "state": lambda callee, draw, _made: draw.normal(
        BATCH, _number(callee, "max_state_dim", "state_dim", default=callee.sizes.width)
    ),
    "states": lambda callee, draw, _made: draw.normal(BATCH, EVENTS, _number(callee, "state_dim", default=8)),
    "prompt_pixel_values": lambda _callee, draw, made: draw.normal(*made["pixel_values"].shape),
    "prompt_masks": lambda _callee, draw, made: draw.normal(*made["pixel_values"].shape),
    "prompt_depth": lambda callee, draw, _made: draw.uniform(BATCH, 1, *callee.sizes.image),
    "input_points": lambda callee, draw, _made: draw.uniform(BATCH, 1, POINTS, 2) * min(callee.sizes.image),
    "input_boxes": _box_prompts,
    "input_boxes_labels": lambda _callee, _draw, _made: torch.ones(BATCH, 1, dtype=torch.long),
    "input_labels": lambda _callee, _draw, _made: torch.tensor([[[1, 0]]] * BATCH),
    "xpath_tags_seq": lambda callee, draw, made: _path(callee, draw, made, "max_xpath_tag_unit_embeddings"),
    "xpath_subs_seq": lambda callee, draw, made: _path(callee, draw, made, "max_xpath_subs_unit_embeddings"),
    "protein_input_ids": _short_tokens,
    "protein_attention_mask": _short_mask,
    "speaker_embedding": lambda callee, draw, _made: draw.normal(
        BATCH, _number(callee, "speaker_embedding_dim", "speaker_embed_dim", default=callee.sizes.width)
    ),
    "actions": _actions,
    "noise": _noise,
    "timestep": lambda _callee, draw, _made: draw.uniform(BATCH),
    "high_res_pixel_values": _high_resolution,
    "image_attention_mask": _image_attention,
    "cross_attention_mask": _cross_attention,
    "input_values_cutoffs": lambda _callee, _draw, made: torch.full((BATCH, 1), made["input_values"].shape[-1]),
    "audio_embed_sizes": _audio_lengths,
    "chunk_sample_lengths": _chunk_lengths,
    "video_second_per_grid": lambda _callee, _draw, _made: torch.ones(BATCH),
    "video_compression_mask": lambda _callee, _draw, made: torch.ones(
        made["pixel_values_videos"].shape[0], dtype=torch.bool
    ),
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

COMPANIONS: dict[str, str | None] = {
    "global_attention_mask": "input_ids",
    "bbox": "input_ids",
    "backbone_last_hidden_state": None,
    "last_hidden_state": "input_ids",
    "visual_feats": None,
    "visual_pos": None,
    "visual_embeds": None,
    "xpath_tags_seq": "input_ids",
    "xpath_subs_seq": "input_ids",
    "protein_input_ids": None,
    "protein_attention_mask": None,
    "user_audio_codes": "input_ids",
    "moshi_audio_codes": "input_ids",
    "input_points": "pixel_values",
    "input_labels": "input_points",
    "input_boxes": "pixel_values",
    "input_boxes_labels": "input_boxes",
    "prompt_depth": "pixel_values",
    "states": None,
    "actions": None,
    "returns_to_go": None,
    "timesteps": None,
    "noise": None,
    "timestep": None,
    "input_shape_ids": "input_ids",
    "input_pronunciation_ids": "input_ids",
    "image_merge_sizes": "image_grid_thw",
    "video_merge_sizes": "video_grid_thw",
    "video_second_per_grid": "video_grid_thw",
    "high_res_pixel_values": "pixel_values",
    "image_attention_mask": "pixel_values",
    "cross_attention_mask": "pixel_values",
    "input_values_cutoffs": "input_values",
    "audio_embed_sizes": "audio_input_features",
    "chunk_sample_lengths": "input_features",
}
"""Optional arguments that are filled nevertheless, each with the argument that must be there for it, if any.

Without them a modality would be missing, would not fit, or would be replaced by values that the model draws itself.
"""

CARRIES = {
    "bbox": Modality.LAYOUT,
    "xpath_tags_seq": Modality.LAYOUT,
    "backbone_last_hidden_state": Modality.EMBEDDING,
    "last_hidden_state": Modality.EMBEDDING,
    "visual_feats": Modality.IMAGE,
    "visual_embeds": Modality.IMAGE,
    "user_audio_codes": Modality.AUDIO,
    "input_points": Modality.TABULAR,
    "input_boxes": Modality.TABULAR,
    "state": Modality.TABULAR,
    "states": Modality.TABULAR,
    "actions": Modality.TABULAR,
    "input_ids": Modality.TEXT,
    "decoder_input_ids": Modality.TEXT,
    "qformer_input_ids": Modality.TEXT,
    "task_inputs": Modality.TEXT,
    "classes_input_ids": Modality.TEXT,
    "protein_input_ids": Modality.TEXT,
}
"""Modalities of the arguments that are added to those of a layout."""


def offer(name: str, modalities: tuple[Modality, ...], build: Callable[[], dict[str, Any]]) -> Layout:
    """A layout that also names the modalities of the arguments that `complete` added."""
    carried = [CARRIES[argument] for argument in build() if argument in CARRIES]
    return Layout(name, tuple(dict.fromkeys([*modalities, *carried])), build)


def complete(callee: Callee, draw: Draw, made: dict[str, Any]) -> dict[str, Any]:
    """Drop what `forward` does not name, add what it requires and the companions; order is that of `forward`.

    A required argument that is not known here stays away, so that the model's own error names it.
    """
    made = {name: value for name, value in made.items() if name in callee.parameters}
    for name in callee.parameters:
        wanted = name in callee.required or (name in COMPANIONS and COMPANIONS[name] in {None, *made})
        filler = FILLERS.get(name)
        if wanted and name not in made and filler is not None:
            value = filler(callee, draw, made)
            if value is not None:
                made[name] = value
    return {name: made[name] for name in callee.parameters if name in made}
