"""Which input carries which modality, and how to change an input so that it stays valid."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from modelmuster.contracts import Capability, Trial
from modelmuster.records import Modality

_IDS = r"(\w+_)?input_ids|task_inputs"

CARRIERS: tuple[tuple[str, tuple[Modality, ...]], ...] = (
    (r"audio_(input_)?ids|(\w+_)?audio_codes", (Modality.AUDIO,)),
    # Ids stand for colours in some image models, for code words in some audio models.
    (_IDS, (Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.TIME_SERIES, Modality.TABULAR)),
    (r"(decoder_)?inputs_embeds", (Modality.TEXT, Modality.EMBEDDING, Modality.IMAGE, Modality.AUDIO)),
    (r"pixel_values_videos|video_\w*(values|features|patches)", (Modality.VIDEO,)),
    (
        r"(\w+_)?pixel_values(_\w+)?|image(s|_patches|_features|_embeds)?|flattened_patches|visual_(feats|embeds)",
        (Modality.IMAGE, Modality.VIDEO),
    ),
    (
        r"(\w+_)?input_(features|values)(_\w+)?|audio_(\w+_)?(mel|latents|values|features|embeds)|(mel_)?spectrogram|waveform",
        (Modality.AUDIO,),
    ),
    (r"past_values|future_values|time_series\w*", (Modality.TIME_SERIES,)),
    (r"bbox|xpath_(tags|subs)_seq", (Modality.LAYOUT,)),
    (
        r"states|actions|rewards|returns_to_go|timesteps|input_(points|boxes)|residue_index|res_type|\w*coord\w*|aatype",
        (Modality.TABULAR,),
    ),
    (
        r"(\w+_)?hidden_states?|inputs|latents|\w+_embeds|\w+_features|context\w*|code",
        (Modality.EMBEDDING, Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.AUDIO),
    ),
)
"""Patterns over whole input names with what they may carry, most usual first; the first pattern that fits counts."""

NUMBERED = {"flattened_patches": 2}
"""Inputs whose first columns are numbers of rows and columns, not values."""

_QUANTISER = re.compile(
    r"codebook_(size|dim|length)|num_quantizers|n_codebooks|num_codevector\w*|vq_config|quantizer\w*"
)
"""Keys of configurations of models that choose among code words and copy the gradient past the choice."""

_ROLE = re.compile(r"\w*(token|pad|eos|bos|sep|cls|mask|image|video|audio)\w*_(id|ids|index)")
"""Keys of configurations that give an id a role."""

_MASKS = re.compile(r"\w*(mask|_len|_lens|_lengths?|cutoffs|sizes|dim|grid\w*|_ids_mask)")


def carrier_of(name: str, fed: tuple[Modality, ...]) -> Modality | None:
    """The modality, among those that the recipe feeds, that an input of this name carries; None for masks and sizes."""
    return next((candidate for candidate in candidates(name) if candidate in fed), None)


def candidates(name: str) -> tuple[Modality, ...]:
    """What an input of this name may carry, most usual first; nothing for masks and sizes."""
    if _MASKS.fullmatch(name):
        return ()
    return next((found for pattern, found in CARRIERS if re.fullmatch(pattern, name)), ())


def are_ids(name: str) -> bool:
    """Whether an input of this name holds ids."""
    return re.fullmatch(_IDS, name) is not None


def carriers(trial: Trial) -> dict[str, Modality]:
    """The inputs of the recipe that carry data, with the modality of each."""
    fed = trial.recipe.modalities
    found = {name: carrier_of(name, fed) for name, value in trial.inputs.items() if _is_data(value)}
    carried = {name: modality for name, modality in found.items() if modality is not None}
    for missing in [modality for modality in fed if modality not in carried.values()]:
        # A decoder's ids are the codes of a sound where the encoder's are already the text.
        for name, modality in reversed(carried.items()):
            if missing in candidates(name) and list(carried.values()).count(modality) > 1:
                carried[name] = missing
                break
    return carried


def mixed(trial: Trial, name: str) -> tuple[Modality, ...]:
    """The modalities of ids that stand side by side in one array [batch, sequence, streams], a text and its sound."""
    value = trial.inputs[name]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.ndim != 3:
        return ()
    return tuple(modality for modality in candidates(name) if modality in trial.recipe.modalities)


def batch_size(trial: Trial) -> int | None:
    """Rows of the batch: the first axis that the text or else every carrier shares; None where they disagree.

    A grid beside the pixels says how many patches each image has: the patches of all images then share one axis. Ids of
    sound with two axes may have a row for each codebook.
    """
    inputs, carrying = trial.inputs, carriers(trial)
    arrays = {name: inputs[name] for name in carrying if isinstance(inputs[name], np.ndarray)}
    for name in ("input_ids", "decoder_input_ids"):
        if name in arrays and arrays[name].ndim >= 2:
            codebooks = carrying[name] is Modality.AUDIO and arrays[name].ndim == 2
            return None if codebooks else int(arrays[name].shape[0])
    grids = [value for name, value in inputs.items() if "grid" in name and isinstance(value, np.ndarray)]
    sizes = {int(array.shape[0]) for array in [*arrays.values(), *grids] if array.ndim >= 2}
    return sizes.pop() if len(sizes) == 1 else None


def changed(trial: Trial, name: str) -> dict[str, Any] | None:
    """The inputs with one of them changed to other valid values; None where it has no other arrangement.

    Numbers trade places, so that the range of the values stays; ids do so within their row, and special tokens, such
    as the places of an image, stay where they are.
    """
    inputs = dict(trial.inputs)
    value = inputs[name]
    if isinstance(value, list | tuple):
        inputs[name] = type(value)(_moved(member, ()) for member in value)
    else:
        kept = NUMBERED.get(name, 0)
        moved = _moved(value[..., kept:], special_ids(trial))
        inputs[name] = np.concatenate([value[..., :kept], moved], axis=-1) if kept else moved
    return inputs if not _equal(inputs[name], value) else None


def special_tokens(config: Mapping[str, Any]) -> tuple[int, ...]:
    """Every id that the configuration gives a role, its parts included."""
    return tuple(sorted(set(_special(config))))


def settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every key of a configuration with its value, those of its parts included, outermost first."""
    yield from config.items()
    for value in config.values():
        if isinstance(value, Mapping):
            yield from settings(value)


def quantiser(trial: Trial) -> str:
    """The setting or the part that tells that the model chooses among code words; empty where it does not."""
    known = [trial.recipe.config]
    parts: list[str] = []
    if Capability.MODULE in trial.capabilities:
        parts = [name for name, _ in trial.module.named_modules() if name.rpartition(".")[2] == "quantizer"]
        known += [trial.module.config.to_dict()] if hasattr(trial.module, "config") else []
    keys = (str(key) for config in known for key, _ in settings(config))
    return next((key for key in keys if _QUANTISER.fullmatch(key)), "") or next(iter(parts), "")


def special_ids(trial: Trial) -> tuple[int, ...]:
    """Every id with a role, that of the recipe's configuration and of its defaults where they can be seen."""
    if Capability.MODULE in trial.capabilities and hasattr(trial.module, "config"):
        return tuple(sorted({*special_tokens(trial.recipe.config), *special_tokens(trial.module.config.to_dict())}))
    return special_tokens(trial.recipe.config)


def _special(config: Mapping[str, Any]) -> Iterator[int]:
    for key, value in settings(config):
        if isinstance(key, str) and _ROLE.fullmatch(key):
            yield from (member for member in (value if isinstance(value, list) else [value]) if _is_id(member))


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_is_data(member) for member in value)
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size > 1


def _moved(value: np.ndarray, specials: tuple[int, ...]) -> np.ndarray:
    if value.dtype.kind == "f":
        # A third of the way round: neighbours in every axis change, by more than a row or a channel.
        rolled = np.roll(value.reshape(-1), max(1, value.size // 3 + 1)).reshape(value.shape)
        return value + 1 if np.array_equal(rolled, value) else rolled
    if value.ndim != 2:
        return np.roll(value, 1, axis=min(1, value.ndim - 1))
    moved = np.stack([_rolled(row, specials) for row in value])
    return moved if not np.array_equal(moved, value) else _rolled(value.reshape(-1), specials).reshape(value.shape)


def _rolled(ids: np.ndarray, specials: tuple[int, ...]) -> np.ndarray:
    ordinary = ~np.isin(ids, specials)
    moved = ids.copy()
    moved[ordinary] = np.roll(ids[ordinary], 1)
    return moved


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, list | tuple):
        return all(_equal(*pair) for pair in zip(first, second, strict=True))
    return bool(np.array_equal(first, second))
