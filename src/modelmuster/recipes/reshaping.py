"""The same model with inputs of another size, or with another implementation of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from modelmuster.errors import CannotReshape
from modelmuster.recipes import identity, weights
from modelmuster.recipes.subject import TorchSubject

_OF_TEXT = frozenset({"input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask", "token_type_ids"})
"""Inputs with one number for each token; beside any other, the length of the text is not free."""
_SEGMENTS = "token_type_ids"


def reshaped(subject: TorchSubject, *, batch: int | None = None, sequence: int | None = None) -> TorchSubject:
    """The subject with as many rows, and as many tokens in each; None leaves them as they are.

    Rows and tokens are repeated, so that every value stays one that the model accepts.

    Raises:
        CannotReshape: the model has no such axis, or not as many positions.
    """
    if (batch, sequence) == (None, None):
        return subject
    limit = None if sequence is None else positions(subject.module)
    if sequence is not None and limit is not None and sequence > limit:
        raise CannotReshape(f"the model has positions for {limit} tokens, not for {sequence}")
    inputs = resized(subject.inputs, batch=batch, sequence=sequence)
    recipe = msgspec.structs.replace(subject.recipe, inputs=identity.input_specs(inputs))
    recipe = msgspec.structs.replace(
        recipe, hash=identity.recipe_hash(recipe, subject.recipe.weights_hash or weights.VERSION)
    )
    return replace(subject, recipe=recipe, inputs=inputs)


def resized(inputs: Mapping[str, Any], *, batch: int | None = None, sequence: int | None = None) -> dict[str, Any]:
    """The inputs with as many rows, and as many tokens in each.

    Raises:
        CannotReshape: they have no such axis.
    """
    changed = dict(inputs) if sequence is None else _stretched(inputs, sequence)
    return changed if batch is None else _with_rows(changed, batch)


def attend_by(module: Any, implementation: str) -> None:
    """Choose how the model computes attention.

    Raises:
        CannotReshape: it does not offer that way.
    """
    if not hasattr(module, "set_attn_implementation"):
        raise CannotReshape("the model offers no choice of attention implementations")
    try:
        module.set_attn_implementation(implementation)
    except (ValueError, ImportError) as error:
        raise CannotReshape(f"the model does not offer {implementation} attention: {error}") from error


def positions(module: Any) -> int | None:
    """Tokens that the model has positions for, as its config says; None where it says nothing."""
    config = getattr(module, "config", None)
    if config is None:
        return None
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len"):
        found = getattr(text, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return None


def rows(inputs: Mapping[str, Any]) -> int | None:
    """The first axis that all arrays share; None where they do not, or where something else is among them."""
    found = set()
    for value in inputs.values():
        if isinstance(value, np.ndarray) and value.ndim:
            found.add(value.shape[0])
        elif not isinstance(value, bool | int | float | str | np.generic | np.ndarray | None):
            return None
    return found.pop() if len(found) == 1 else None


def _stretched(inputs: Mapping[str, Any], sequence: int) -> dict[str, Any]:
    arrays = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}
    strange = sorted(arrays.keys() - _OF_TEXT)
    if "input_ids" not in arrays or strange or any(array.ndim != 2 for array in arrays.values()):
        beside = f"; there are {', '.join(strange)}" if strange else ""
        raise CannotReshape(f"only plain text can be of another length{beside}")
    return {name: _columns(name, value, sequence) if name in arrays else value for name, value in inputs.items()}


def _columns(name: str, array: np.ndarray, sequence: int) -> np.ndarray:
    length = array.shape[1]
    # Segments are stretched, as the second one begins in the middle.
    taken = np.arange(sequence) * length // sequence if name == _SEGMENTS else np.arange(sequence) % length
    return np.ascontiguousarray(array[:, taken])


def _with_rows(inputs: Mapping[str, Any], batch: int) -> dict[str, Any]:
    count = rows(inputs)
    if not count:
        raise CannotReshape("the inputs have no axis that all of them share, so there are no rows to repeat")
    taken = np.arange(batch) % count
    return {
        name: np.ascontiguousarray(value[taken]) if isinstance(value, np.ndarray) and value.ndim else value
        for name, value in inputs.items()
    }
