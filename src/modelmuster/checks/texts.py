"""Token inputs: which positions may be changed, and to what."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.feeding import settings, special_ids
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.records import Modality

PER_TOKEN = ("logits", "last_hidden_state", "prediction_logits", "encoder_last_hidden_state")
"""Outputs that hold something for each token, on their second axis."""

LEAST = 6
"""Tokens below which a text is too short to be cut in two."""


def text_only(trial: Trial, name: str = "input_ids") -> str | None:
    """Why the model's text cannot be taken apart, or None."""
    if set(trial.recipe.modalities) != {Modality.TEXT}:
        return "fed more than text, so that tokens cannot be changed by themselves"
    tokens = trial.inputs.get(name)
    if not isinstance(tokens, np.ndarray) or tokens.ndim != 2:
        return f"takes no {name} of the shape batch × tokens"
    if tokens.shape[1] < LEAST:
        return f"fed only {tokens.shape[1]} tokens"
    return None


def replaced(trial: Trial, positions: slice, name: str = "input_ids") -> dict[str, Any]:
    """The inputs with each ordinary token of these positions, in every row, replaced by another ordinary token."""
    inputs = dict(trial.inputs)
    tokens: np.ndarray = inputs[name].copy()
    ordinary = np.setdiff1d(tokens, special_ids(trial))
    if ordinary.size < 2:
        return inputs
    following = dict(zip(ordinary.tolist(), np.roll(ordinary, 1).tolist(), strict=True))
    part = tokens[:, positions]
    tokens[:, positions] = np.vectorize(lambda token: following.get(token, token), otypes=[tokens.dtype])(part)
    inputs[name] = tokens
    return inputs


def pad_token(trial: Trial) -> int:
    """The id that fills rows up: the configuration's, its defaults included where they can be seen, or 0."""
    config = getattr(trial.module, "config", None) if Capability.MODULE in trial.capabilities else None
    known = config.to_dict() if config is not None else trial.recipe.config
    found = [value for key, value in settings(known) if key == "pad_token_id"]
    return next((value for value in found if isinstance(value, int) and value >= 0), 0)


def at(outputs: Outputs, positions: slice | np.ndarray, length: int) -> dict[str, Output]:
    """The per-token outputs at these positions: a slice of the tokens, or a mask of batch × tokens."""
    found = {}
    for name in PER_TOKEN:
        output = outputs.get(name)
        if output is None or output.array.ndim < 3 or output.array.shape[1] != length:
            continue
        array = output.array[:, positions] if isinstance(positions, slice) else output.array[positions]
        found[name] = Output(array, output.dtype)
    return found


NO_TOKENS = "returns nothing that belongs to single tokens"
"""Why a question about tokens does not fit a model whose outputs are of other lengths."""
