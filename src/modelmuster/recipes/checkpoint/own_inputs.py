"""Inputs made by the checkpoint's own tokenizer or processor, as a user of the model would make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from modelmuster.errors import CellFailure
from modelmuster.recipes.build import describe, run_once
from modelmuster.recipes.checkpoint import samples
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.layout import Layout
from modelmuster.recipes.inputs.required import complete
from modelmuster.recipes.inputs.text import decoder_arguments, has_decoder
from modelmuster.records import Applied, Architecture, Modality

TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model"),
    *("sentencepiece.bpe.model", "source.spm"),
)
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json")
"""Without any of these files nothing is loaded: the library would make up a tokenizer without words."""

MODALITIES = {
    "input_ids": Modality.TEXT,
    "decoder_input_ids": Modality.TEXT,
    "pixel_values": Modality.IMAGE,
    "pixel_values_videos": Modality.VIDEO,
    "input_features": Modality.AUDIO,
    "input_values": Modality.AUDIO,
}
RATE = 16_000
"""Samples a second, where a feature extractor does not say."""

Made = dict[str, Any]


class OwnInputs:
    """What the files beside the weights can make."""

    def __init__(
        self, folder: Path, module: nn.Module, architecture: Architecture, seed: int, *, trusted: bool
    ) -> None:
        self._folder, self._trusted = folder, trusted
        self._callee = Callee(module, architecture, seed)
        self.applied: list[Applied] = []
        """What was there but could not be used, and why: another layout then takes its place."""

    def layouts(self) -> Iterator[Layout]:
        """Layouts in order of preference: everything in one call, then each modality alone."""
        has_tokenizer, has_processor = self._any(TOKENIZER_FILES), self._any(PROCESSOR_FILES)
        if has_tokenizer and has_processor:
            yield from self._layout("processor", "AutoProcessor", self._together)
        if has_tokenizer:
            yield from self._layout("tokenizer", "AutoTokenizer", self._text)
        if has_processor and self._callee.takes("pixel_values"):
            yield from self._layout("image-processor", "AutoImageProcessor", self._images)
        if has_processor and self._callee.takes("pixel_values", "pixel_values_videos"):
            yield from self._layout("video-processor", "AutoVideoProcessor", self._clips)
        if has_processor and self._callee.takes("input_features", "input_values"):
            yield from self._layout("feature-extractor", "AutoFeatureExtractor", self._sounds)

    def _any(self, names: tuple[str, ...]) -> bool:
        return any((self._folder / name).is_file() for name in names)

    def _layout(self, name: str, loader: str, make: Callable[[Any], Made]) -> Iterator[Layout]:
        """The layout, made and run once to see what it feeds; nothing where that fails, with a note."""
        import transformers

        try:
            maker = getattr(transformers, loader).from_pretrained(
                self._folder, local_files_only=True, trust_remote_code=self._trusted
            )
            made = self._completed(make(maker))
            run_once(self._callee.module, made)
        except Exception as error:  # noqa: BLE001 - processors raise anything at what they do not like; it is noted
            reason = f"the checkpoint's own {name} is not used: {describe(error)}"
            self.applied.append(Applied(rule="own-inputs", field=name, reason=reason))
            return
        modalities = tuple(dict.fromkeys(self._modality(key) for key in made if key in MODALITIES))
        yield Layout(f"own:{name}", modalities, lambda: dict(made))

    def _modality(self, argument: str) -> Modality:
        return Modality.VIDEO if argument == "pixel_values" and self._moving else MODALITIES[argument]

    @property
    def _moving(self) -> bool:
        """Whether the pictures that the model takes are those of a clip."""
        kinds = self._callee.architecture.modalities
        return Modality.VIDEO in kinds and Modality.IMAGE not in kinds

    def _completed(self, made: Mapping[str, Any]) -> Made:
        """What `forward` takes of it, and what it wants besides."""
        draw = self._callee.draw()
        plain = {name: _plain(value) for name, value in made.items() if self._callee.takes(name)}
        if not any(name in MODALITIES for name in plain):
            raise CellFailure(f"it makes {', '.join(made)}, and forward takes none of the data in it")
        if "decoder_input_ids" not in plain:
            plain |= decoder_arguments(self._callee, draw)
        return complete(self._callee, draw, plain)

    def _text(self, tokenizer: Any) -> Made:
        made = dict(_same_length(tokenizer, samples.SENTENCES))
        if has_decoder(self._callee):
            made["decoder_input_ids"] = self._answers(tokenizer)
        return made

    def _answers(self, tokenizer: Any) -> torch.Tensor:
        ids: torch.Tensor = _same_length(tokenizer, samples.ANSWERS)["input_ids"]
        start = self._callee.sizes.token(("decoder_start_token_id",))
        return ids if start is None else torch.cat([torch.full_like(ids[:, :1], start), ids], dim=1)

    def _images(self, processor: Any) -> Made:
        return dict(processor(self._frames() if self._moving else samples.pictures(), return_tensors="pt"))

    def _clips(self, processor: Any) -> Made:
        return dict(processor(videos=self._frames(), return_tensors="pt"))

    def _frames(self) -> list[list[np.ndarray]]:
        return samples.clips(self._callee.sizes.frames)

    def _sounds(self, extractor: Any) -> Made:
        rate = getattr(extractor, "sampling_rate", None) or RATE
        return dict(extractor(samples.sounds(rate), sampling_rate=rate, return_tensors="pt"))

    def _together(self, processor: Any) -> Made:
        """Everything that a processor of several parts makes in one call; the text names a picture where it must."""
        given: Made = {}
        if getattr(processor, "image_processor", None) is not None:
            given["images"] = samples.pictures()
        rate = getattr(getattr(processor, "feature_extractor", None), "sampling_rate", None)
        if rate is not None:
            given |= {"audio": samples.sounds(rate), "sampling_rate": rate}
        if not given:
            raise CellFailure(f"a {type(processor).__name__} is made for text alone")
        if self._callee.takes("input_ids"):
            # Sounds are padded as the extractor likes it, which is not always to the longest.
            given |= {"text": self._prompts(processor, given), "text_kwargs": {"padding": True}}
        made = dict(processor(**given, return_tensors="pt"))
        if has_decoder(self._callee) and "decoder_input_ids" not in made:
            made["decoder_input_ids"] = self._answers(processor.tokenizer)
        return made

    def _prompts(self, processor: Any, given: Mapping[str, Any]) -> list[str]:
        """Sentences, behind the placeholder of what belongs to them, or in the model's own template for talks."""
        kinds = [kind for kind, argument in (("image", "images"), ("audio", "audio")) if argument in given]
        if getattr(processor, "chat_template", None):
            return [
                processor.apply_chat_template(
                    [
                        {
                            "role": "user",
                            "content": [*({"type": kind} for kind in kinds), {"type": "text", "text": sentence}],
                        }
                    ],
                    add_generation_prompt=True,
                )
                for sentence in samples.SENTENCES
            ]
        marks = [getattr(processor, f"{kind}_token", None) for kind in kinds]
        return ["".join(f"{mark}\n" for mark in marks if mark) + sentence for sentence in samples.SENTENCES]


def _same_length(tokenizer: Any, sentences: tuple[str, ...]) -> Mapping[str, Any]:
    """Sentences as token ids, the longer one cut to the length of the shorter, so that none needs padding."""
    longest = min(len(ids) for ids in tokenizer(list(sentences))["input_ids"])
    longest = min(longest, getattr(tokenizer, "model_max_length", longest))
    made: Mapping[str, Any] = tokenizer(list(sentences), truncation=True, max_length=longest, return_tensors="pt")
    ids = made["input_ids"]
    if torch.equal(ids[0], ids[1]):
        raise CellFailure("two sentences become the same tokens: it knows none of their words")
    return made


def _plain(value: Any) -> Any:
    """Nested containers of the library as lists; tensors as they are."""
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value
