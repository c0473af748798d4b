"""Facts about a model's inputs that its config states, each under one of several customary names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch

from modelmuster.records import Modality

VOCABULARY = ("vocab_size", "src_vocab_size", "text_vocab_size", "vocabulary_size")
TARGET_VOCABULARY = ("decoder_vocab_size", "tgt_vocab_size", "vocab_size")
WIDTH = ("hidden_size", "d_model", "embed_dim", "hidden_dim", "dim", "n_embd", "encoder_hidden_size", "embedding_size")
CHANNELS = ("num_channels", "in_channels", "in_chans", "num_input_channels")
IMAGE_SIZE = ("image_size", "img_size", "input_size", "crop_size", "max_img_size")
PATCH_SIZE = ("patch_size", "encoder_patch_size")
TEMPORAL_PATCH = ("temporal_patch_size", "tubelet_size", "patch_temporal")
MERGE = ("spatial_merge_size", "merge_kernel_size", "merge_size", "downsample_factor", "pixel_unshuffle_block_size")
FRAMES = ("num_frames", "frames_per_clip", "num_frame")
MEL_BINS = (
    "num_mel_bins",
    "n_mels",
    "mel_bins",
    "input_feat_per_channel",
    "feature_projection_input_dim",
    "input_feat_size",
    "feature_size",
    "spectrogram_size",
    "input_dim",
    "model_in_dim",
    "num_mels",
    "input_size",
)
AUDIO_POSITIONS = ("max_source_positions",)
FIRST_LAYERS = 2
"""Layers of a tower that may be the one that its input enters."""

CODEBOOKS = ("num_codebooks", "n_codebooks", "num_quantizers")
CODEBOOK_SIZE = ("codebook_size", "audio_vocab_size", "codebook_vocab_size")

PARTS = {
    Modality.IMAGE: ("vision", "image", "visual", "vit", "backbone", "encoder", "sam"),
    Modality.VIDEO: ("vision", "video", "image", "visual", "backbone", "encoder"),
    Modality.AUDIO: ("audio", "speech", "sound", "acoustic", "encoder"),
    Modality.TEXT: ("text", "llm", "language", "decoder", "generator", "question_encoder"),
}
"""Words in the attribute names of sub-configs that deal with a modality, the most telling first."""

PLACEHOLDERS = {
    Modality.IMAGE: (
        "image_token_id",
        "image_token_index",
        "img_token_id",
        "img_context_token_id",
        "im_patch_id",
        "image_patch_id",
        "image_pad_token_id",
        "media_placeholder_token_id",
        "media_token_index",
    ),
    Modality.VIDEO: ("video_token_id", "video_token_index", "video_pad_token_id"),
    Modality.AUDIO: (
        "audio_token_id",
        "audio_token_index",
        "audio_placeholder_token_id",
        "audio_pad_token_id",
        "speech_token_id",
        "audio_soft_token_id",
        "audio_prompt_token_id",
    ),
}
"""Names of the token whose embedding is replaced by one vector of the modality."""

OPENINGS = {
    Modality.IMAGE: ("vision_start_token_id", "image_start_token_id", "boi_token_id", "boi_token_index"),
    Modality.VIDEO: ("video_start_token_id", "vision_start_token_id", "boi_token_id", "boi_token_index"),
    Modality.AUDIO: ("audio_start_token_id", "audio_bos_token_id", "boa_token_id", "boa_token_index"),
}
CLOSINGS = {
    Modality.IMAGE: ("vision_end_token_id", "image_end_token_id", "eoi_token_id", "eoi_token_index"),
    Modality.VIDEO: ("video_end_token_id", "vision_end_token_id", "eoi_token_id", "eoi_token_index"),
    Modality.AUDIO: ("audio_end_token_id", "audio_eos_token_id", "eoa_token_id", "eoa_token_index"),
}


def value_of(config: Any, name: str) -> Any:
    """Read one attribute; None where there is none, or where it exists only per layer.

    A config whose layers differ refuses to name one value for all of them; what it stores is then read instead.
    """
    try:
        return getattr(config, name, None)
    except (AttributeError, ValueError, KeyError, TypeError):
        return vars(config).get(name)


def nested(config: Any) -> Iterator[tuple[str, Any]]:
    """Every sub-config with the name of the attribute that holds it, outer ones first."""
    from transformers import PreTrainedConfig

    queue = [config]
    while queue:
        for name, value in vars(queue.pop(0)).items():
            if isinstance(value, PreTrainedConfig):
                yield name, value
                queue.append(value)


def square(value: Any) -> tuple[int, int] | None:
    """Height and width from a number, a pair, or a dictionary; None where it is none of these."""
    if isinstance(value, dict):
        side = value.get("longest_edge") or value.get("shortest_edge")
        value = (value.get("height", side), value.get("width", side))
    if isinstance(value, int):
        return value, value
    if isinstance(value, (list, tuple)) and value and all(isinstance(side, int) for side in value):
        return (value[-2], value[-1]) if len(value) > 1 else (value[0], value[0])
    return None


class Sizes:
    """What a model's config says about the inputs that it takes."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._module = module
        self.config = module.config
        self._nested = list(nested(self.config))

    def parts(self, modality: Modality | None = None) -> list[Any]:
        """All configs: those named after the modality first, then the whole, then the other parts."""
        words = PARTS.get(modality, ()) if modality else ()
        named = [part for word in words for name, part in self._nested if word in name]
        others = [part for _, part in self._nested]
        return list({id(part): part for part in [*named, self.config, *others]}.values())

    def number(self, names: Sequence[str], modality: Modality | None = None) -> int | None:
        """The first integer that any config states under one of these names."""
        for part in self.parts(modality):
            for name in names:
                value = value_of(part, name)
                if isinstance(value, int) and not isinstance(value, bool):
                    return value
        return None

    def numbers(self, names: Sequence[str], modality: Modality) -> list[int]:
        """Every integer that any config states under one of these names, the most telling first."""
        values = [value_of(part, name) for part in self.parts(modality) for name in names]
        return list(dict.fromkeys(value for value in values if isinstance(value, int) and not isinstance(value, bool)))

    def entrances(self, modality: Modality) -> list[int]:
        """Numbers of features that the first layers of the modality's part take: what the config may leave unsaid."""
        words = PARTS[modality]
        named = [part for word in words for name, part in self._module.named_children() if word in name]
        inner = [
            part
            for child in self._module.children()
            for name, part in child.named_children()
            if any(word in name for word in words)
        ]
        found: list[int] = []
        for tower in [*named, *inner] or [self._module]:
            layers = (layer for layer in tower.modules() if isinstance(layer, (torch.nn.Linear, torch.nn.LayerNorm)))
            for layer in itertools.islice(layers, FIRST_LAYERS):
                linear = isinstance(layer, torch.nn.Linear)
                found.append(layer.in_features if linear else layer.normalized_shape[-1])
        return list(dict.fromkeys(found))

    def extent(self, names: Sequence[str], modality: Modality) -> tuple[int, int] | None:
        """The first height and width that any config states under one of these names."""
        for part in self.parts(modality):
            timm = value_of(part, "model_args")
            for name in names:
                stated = value_of(part, name)
                sides = square(timm.get(name) if stated is None and isinstance(timm, dict) else stated)
                if sides and min(sides) > 0:
                    return sides
        return None

    @cached_property
    def vocabulary(self) -> int:
        """Number of token ids that the text embedding holds; the config decides where the embedding does not say."""
        stated = self.number(VOCABULARY, Modality.TEXT)
        embedded = self._embedded(self._module)
        return min([size for size in (stated, embedded) if size] or [64])

    @cached_property
    def target_vocabulary(self) -> int:
        """Number of token ids that the decoder's embedding holds."""
        decoders = [part for name, part in self._nested if "decoder" in name or "generator" in name]
        for part in [*decoders, self.config]:
            for name in TARGET_VOCABULARY:
                value = value_of(part, name)
                if isinstance(value, int):
                    return value
        return self.vocabulary

    @staticmethod
    def _embedded(module: torch.nn.Module) -> int | None:
        try:
            embedding = module.get_input_embeddings()
        except (AttributeError, NotImplementedError):
            return None
        return embedding.num_embeddings if isinstance(embedding, torch.nn.Embedding) else None

    @cached_property
    def special(self) -> frozenset[int]:
        """Ids of tokens with a meaning of their own: padding, end of text, placeholders of other modalities."""
        found: set[int] = set()
        for part in (self.config, *(part for _, part in self._nested)):
            for name, value in vars(part).items():
                if "token" in name and name.endswith(("_id", "_ids", "_index")):
                    values = value if isinstance(value, (list, tuple)) else [value]
                    found.update(each for each in values if isinstance(each, int) and not isinstance(each, bool))
            vocabulary_map = value_of(part, "vocabulary_map")
            if isinstance(vocabulary_map, dict):
                found.update(each for each in vocabulary_map.values() if isinstance(each, int))
        return frozenset(found)

    def plain(self, vocabulary: int) -> list[int]:
        """Token ids below `vocabulary` without a special meaning; all of them where every one is special."""
        ids = [token for token in range(1, vocabulary) if token not in self.special]
        return ids if len(ids) > 1 else list(range(vocabulary))

    def token(self, names: Sequence[str]) -> int | None:
        """The id that a config states for a special token, the whole config asked first."""
        for part in self.parts():
            for name in names:
                value = value_of(part, name)
                if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                    return value
        return None

    @cached_property
    def width(self) -> int:
        """Width of the hidden states."""
        return self.number(WIDTH, Modality.TEXT) or self.number(WIDTH, Modality.IMAGE) or 64

    @cached_property
    def channels(self) -> int:
        """Colour channels of an image."""
        return self.number(CHANNELS, Modality.IMAGE) or 3

    @cached_property
    def image(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        return self.extent(IMAGE_SIZE, Modality.IMAGE) or (64, 64)

    @cached_property
    def patch(self) -> tuple[int, int]:
        """Height and width of a patch, in pixels."""
        return self.extent(PATCH_SIZE, Modality.IMAGE) or (16, 16)

    @cached_property
    def temporal_patch(self) -> int:
        """Frames that share a patch."""
        for part in self.parts(Modality.IMAGE):
            for name in TEMPORAL_PATCH:
                value = value_of(part, name)
                value = value[0] if isinstance(value, (list, tuple)) and value else value
                if isinstance(value, int):
                    return value
        return 1

    @cached_property
    def merge(self) -> int:
        """Patches along one side that are merged into one token."""
        sides = self.extent(MERGE, Modality.IMAGE)
        return max(sides) if sides else 2

    @cached_property
    def frames(self) -> int:
        """Frames of a video clip."""
        return self.number(FRAMES, Modality.VIDEO) or 4

    @cached_property
    def mel_bins(self) -> int | None:
        """Features of one audio frame; None where no config says."""
        return self.number(MEL_BINS, Modality.AUDIO)

    @cached_property
    def codebooks(self) -> int | None:
        """Parallel streams of audio codes; None where there are none."""
        return self.number(CODEBOOKS, Modality.AUDIO)
