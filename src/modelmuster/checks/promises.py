"""What a configuration promises of the shapes and dtypes of outputs, where that can be told from the recipe alone."""

from __future__ import annotations

import math

import numpy as np

from modelmuster.checks.feeding import batch_size, settings
from modelmuster.checks.question import Figures
from modelmuster.contracts import Output, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.records import Family, Modality

_WORDS = frozenset({"CAUSAL_LM", "MASKED_LM", "SEQ_TO_SEQ_CAUSAL_LM", "IMAGE_TEXT_TO_TEXT"})
"""Tasks whose `logits` hold one number for each word of a vocabulary."""
_LABELS = frozenset({"SEQUENCE_CLASSIFICATION", "TOKEN_CLASSIFICATION", "IMAGE_CLASSIFICATION", "AUDIO_CLASSIFICATION"})
"""Tasks whose `logits` hold one number for each label."""
_TEXT = frozenset({Family.ENCODER_ONLY, Family.DECODER_ONLY, Family.ENCODER_DECODER})
_PER_ROW = ("logits", "last_hidden_state", "pooler_output", "image_embeds", "text_embeds")
"""Outputs whose first axis is the batch."""


def broken_promise(trial: Trial, figures: Figures) -> str | None:
    """The first promise that an output breaks, in words."""
    outputs = trial.baseline()
    for name, output in outputs.items():
        wrong = _narrower(name, output, trial.dtype)
        if wrong:
            return wrong
    for name in _PER_ROW:
        if name in outputs:
            figures[f"{name}.shape"] = "×".join(map(str, outputs[name].array.shape))
            wrong = _shape(trial, name, outputs[name].array)
            if wrong:
                return wrong
    return None


def _narrower(name: str, output: Output, dtype: str) -> str | None:
    """Wider types than asked for are allowed: some models compute scores or losses in float32 whatever they are."""
    if output.dtype in TOLERANCES and TOLERANCES[output.dtype].step > TOLERANCES[dtype].step:
        return f"{name} came back in {output.dtype}, though the model runs in {dtype}"
    return None


def _shape(trial: Trial, name: str, array: np.ndarray) -> str | None:
    batch = batch_size(trial)
    rows = {batch} | _rows_of_codes(trial) | rows_of_frames(trial)
    odd = batch is not None and array.ndim >= 2 and array.shape[0] not in rows
    if odd and not _is_packed(trial, name, array.shape[0]):
        return f"{name} has {array.shape[0]} rows for a batch of {batch}"
    length = _length(trial)
    if length is not None and name in {"logits", "last_hidden_state"} and array.ndim == 3 and array.shape[1] != length:
        return f"{name} has {array.shape[1]} positions for {length} tokens"
    widths = _widths(trial, name)
    if widths and array.shape[-1] not in widths:
        return f"{name} is {array.shape[-1]} wide, the configuration promises {' or '.join(map(str, sorted(widths)))}"
    return None


def _is_packed(trial: Trial, name: str, rows: int | None) -> bool:
    """Whether the positions of all rows share one axis: those that padding would take left out, or all of them."""
    hidden = trial.baseline().get("last_hidden_state")
    if hidden is None:
        return False
    shape = hidden.array.shape
    if len(shape) == 2:
        return True
    if shape[0] == 1 and _tile_sized_images(trial, shape[1]):
        return True
    # Patches of all pictures come in as rows of one matrix, and the positions that come out are no more than they were.
    fed = batch_size(trial) or 0
    return (shape[0] == 1 and shape[1] <= fed) or (name == "pooler_output" and rows == shape[0] * shape[1])


def _tile_sized_images(trial: Trial, positions: int) -> bool:
    """Whether so many square patches in one row cover all images whose sizes are fed beside them (Pixtral)."""
    sizes = trial.inputs.get("image_sizes")
    if not isinstance(sizes, np.ndarray) or not positions:
        return False
    pixels = int(sizes.prod(-1).sum())
    return math.isqrt(pixels // positions) ** 2 * positions == pixels


def _rows_of_codes(trial: Trial) -> set[int]:
    """Rows of a decoder that has one for each stream of codes: as they are fed, or laid one after the other."""
    codes = trial.inputs.get("decoder_input_ids")
    if not isinstance(codes, np.ndarray):
        return set()
    return {len(codes), len(codes) * codes.shape[-1]} if codes.ndim == 3 else {len(codes)}


def rows_of_frames(trial: Trial) -> set[int]:
    """Numbers of rows of a model that answers each frame of a clip."""
    if trial.architecture.family is not Family.VIDEO:
        return set()
    clips = [value for name, value in trial.inputs.items() if name.startswith("pixel_values")]
    return {len(clip) * clip.shape[1] for clip in clips if isinstance(clip, np.ndarray) and clip.ndim == 5}


def _length(trial: Trial) -> int | None:
    """Tokens that the logits are counted by, of models that are fed text alone and answer each token."""
    if trial.architecture.family not in _TEXT or set(trial.recipe.modalities) != {Modality.TEXT}:
        return None
    if tasks_of(trial) - _WORDS - {"TOKEN_CLASSIFICATION", "BASE", "PRETRAINING"}:
        return None
    inputs = trial.inputs
    tokens = inputs.get("decoder_input_ids", inputs.get("input_ids"))
    return int(tokens.shape[1]) if isinstance(tokens, np.ndarray) and tokens.ndim == 2 else None


def _widths(trial: Trial, name: str) -> set[int]:
    if name != "logits" or Modality.TABULAR in trial.recipe.modalities:
        return set()
    tasks, found = tasks_of(trial), dict[str, set[int]]()
    for key, value in settings(trial.recipe.config):
        kind = "words" if key.endswith("vocab_size") else "labels" if key == "num_labels" else ""
        if kind and isinstance(value, int):
            found.setdefault(kind, set()).add(value)
    if tasks & _WORDS and not tasks & _LABELS:
        return found.get("words", set())
    if tasks and tasks <= _LABELS:
        return found.get("labels", set())
    return set()


def tasks_of(trial: Trial) -> set[str]:
    """The auto-mappings that list the trial's class."""
    for entry in trial.architecture.model_classes:
        if entry.name == trial.recipe.model_class:
            return set(entry.tasks)
    return set()
