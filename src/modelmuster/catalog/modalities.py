"""Which kinds of data a class takes in, judged by the parameters of its forward method."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from modelmuster.catalog.facts import ClassFacts, TypeFacts
from modelmuster.records import Modality

_BY_PARAMETER: tuple[tuple[Modality, str], ...] = (
    (Modality.AUDIO, r"audio_input_ids"),
    # Other ids are text, be they the encoder's, the decoder's, a protein's or those of class names to be detected.
    (Modality.TEXT, r"(\w+_)?input_ids"),
    (Modality.VIDEO, r"pixel_values_videos|frame"),
    (Modality.IMAGE, r"(\w+_)?pixel_values(_\w+)?|image|image_patches|flattened_patches|visual_feats|visual_embeds"),
    # Vision towers whose `hidden_states` are pixel patches tell the grid that the patches form.
    (Modality.IMAGE, r"grid_thw"),
    (
        Modality.AUDIO,
        r"(\w+_)?input_features|(\w+_)?input_values|(\w+_)?audio_codes|audio_mel|audio_latents|(mel_)?spectrogram",
    ),
    (Modality.TIME_SERIES, r"past_values"),
    (Modality.LAYOUT, r"bbox|xpath_tags_seq"),
    (
        Modality.TABULAR,
        r"states|actions|rewards|returns_to_go|input_points|input_boxes|residue_index|res_type",
    ),
)
"""Kinds by pattern over whole parameter names; the first that matches counts."""

_EMBEDDING = re.compile(
    r"inputs_embeds|hidden_states|context_hidden_states|shared_kv_states|\w+_embeds|\w+_features|latents|context|code"
    r"|decoder_queries|encoder_hidden_states"
)
"""Parameters that hold what another model computed; they count only for a class that takes no data of its own."""

_DECLARED = {
    "text": Modality.TEXT,
    "image": Modality.IMAGE,
    "video": Modality.VIDEO,
    "audio": Modality.AUDIO,
    "time": Modality.TIME_SERIES,
}
"""The library's own words in `input_modalities`."""

_PIXEL_TASKS = frozenset({"CAUSAL_IMAGE_MODELING", "IMAGE_CLASSIFICATION"})
"""Tasks whose ids, where a model takes nothing else, are those of colours: ImageGPT."""

_FRAME_COUNTS = ("num_frames", "frames_per_clip")


def of_parameters(names: Iterable[str]) -> dict[Modality, str]:
    """The kinds of data that these parameters of a forward method carry, each with the first that carries it.

    Parameters that carry no data (masks, positions, switches) and hidden states of other models are passed over.
    """
    found: dict[Modality, str] = {}
    for name in names:
        for modality, pattern in _BY_PARAMETER:
            if re.fullmatch(pattern, name):
                found.setdefault(modality, name)
                break
    return found


def of_class(facts: TypeFacts, chosen: ClassFacts) -> dict[Modality, str]:
    """Every kind of data that a class takes in, with the reason.

    What the library declares in `input_modalities` is believed only where the signature leaves it open, because
    whole packages inherit one declaration: pixels that are frames, ids that stand for colours, towers that call
    their raw input `hidden_states`, and keyword arguments that are merely handed on.
    """
    declared = [_DECLARED[name] for name in chosen.declared if name in _DECLARED]
    found = {kind: f"forward takes {name}" for kind, name in of_parameters(chosen.parameters).items()}
    if chosen.passes_on:
        inner = of_parameters(sorted(chosen.code.inner_parameters))
        found |= {
            kind: f"forward hands {inner[kind]} on in its keyword arguments, and the library declares {kind.value}"
            for kind in declared
            if kind in inner and kind not in found
        }
    if Modality.IMAGE in found and Modality.VIDEO not in found and (why := _frames(facts, chosen, declared)):
        found = {Modality.VIDEO if kind is Modality.IMAGE else kind: reason for kind, reason in found.items()}
        found[Modality.VIDEO] += f", and {why}"
    if set(found) == {Modality.TEXT} and declared == [Modality.IMAGE] and _PIXEL_TASKS & set(chosen.tasks):
        return {Modality.IMAGE: f"{found[Modality.TEXT]}, which the library declares to be images"}
    if not found and "hidden_states" in chosen.parameters and declared and _one_sense(declared):
        found = {kind: f"forward takes hidden_states, declared to be {kind.value}" for kind in declared}
    if not found:
        embedded = [name for name in chosen.parameters if _EMBEDDING.fullmatch(name)]
        found = {Modality.EMBEDDING: f"forward takes {embedded[0]}"} if embedded else {}
    return {kind: found[kind] for kind in Modality if kind in found}


def _frames(facts: TypeFacts, chosen: ClassFacts, declared: list[Modality]) -> str | None:
    if Modality.VIDEO in declared and Modality.IMAGE not in declared:
        return "the library declares video"
    if "VIDEO_CLASSIFICATION" in chosen.tasks:
        return "it classifies videos"
    for path, value in facts.named(*_FRAME_COUNTS):
        if isinstance(value, int) and value > 1:
            return f"{path} is {value}"
    return None


def _one_sense(declared: list[Modality]) -> bool:
    return len(declared) == 1 or set(declared) == {Modality.IMAGE, Modality.VIDEO}


def coverage(kinds: Mapping[Modality, str]) -> int:
    """How many kinds of data are taken in, hidden states aside."""
    return len(set(kinds) - {Modality.EMBEDDING})
