"""A row that is padded on the left must be answered like the same row without its padding."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.padding import masked, mixes_neighbours
from modelmuster.checks.position_ids import frequencies, tables
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, pad_token, text_only
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.records import Family, Finding

WIDTH = 3
"""Pad tokens put before every row."""

ENCODED = "encoder_last_hidden_state"
"""What a model with an encoder beside its decoder returns for the tokens that are padded."""


class LeftPadding(Question):
    """Puts pad tokens before each row, hidden by the mask; positions are handed in, and left for the model to count."""

    name = "left_padding"
    question = "Is a row that was padded on the left answered like the same row without padding?"
    families = frozenset({Family.DECODER_ONLY, Family.ENCODER_DECODER, Family.ENCODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that take a mask, and positions or a way to count them past the padding."""
        reason = text_only(trial) or masked(trial) or mixes_neighbours(trial)
        if reason is None and not _ways(trial):
            return "counts the positions of its table from the first column, whatever stands there"
        return reason

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at the real tokens."""
        tokens, figures = trial.inputs["input_ids"], Figures()
        given = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        decoder = {name: value for name, value in trial.inputs.items() if name == "decoder_input_ids"}
        length = tokens.shape[1]
        plain = _answers(outputs(trial, given | decoder), slice(None), length)
        if not plain:
            return not_applicable(NO_TOKENS)
        for way in _ways(trial):
            padded = left_padded(trial, given, WIDTH, positions=way == "given")
            got = _answers(outputs(trial, padded | decoder), slice(WIDTH, None), length + WIDTH)
            compared = same(trial, plain, got)
            figures[f"{way}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"with {WIDTH} pad tokens on the left, positions {way}, {off(compared)}", figures)
        return passed(figures)


def _answers(returned: Outputs, place: slice, length: int) -> dict[str, Output]:
    """What is returned for these tokens, and all that a decoder beside them returns for its own."""
    if ENCODED not in returned:
        return at(returned, place, length)
    return at({ENCODED: returned[ENCODED]}, place, length) | dict(main_outputs(returned))


def _ways(trial: Trial) -> list[str]:
    """How the positions may come about: by an argument, or counted by the model where it can know of the padding.

    Whoever sees differences of positions only need not know of it; a table that keeps a row for padding, and counts
    from there, or that is handed the mask, says that it does.
    """
    if trial.architecture.family is Family.ENCODER_DECODER:
        return ["counted"] if _counts_or_compares(trial.module) else []
    found = tables(trial.module)
    offset = any(getattr(table, "padding_idx", None) is not None for table in found)
    counted = not _sinusoids(trial.module) and all(
        getattr(table, "padding_idx", None) is not None
        or "attention_mask" in inspect.signature(table.forward).parameters
        for table in found
    )
    ways = {"given": accepts(trial, "position_ids") and not offset, "counted": counted}
    return [way for way, possible in ways.items() if possible]


def _counts_or_compares(module: torch.nn.Module) -> bool:
    """Whether an encoder counts its positions from the tokens that are none of padding, or sees differences only."""
    return (
        hasattr(module.config, "relative_attention_num_buckets")
        or frequencies(module)
        or any(hasattr(part, "create_position_ids_from_input_ids") for part in module.modules())
    )


def left_padded(trial: Trial, given: dict[str, Any], width: int, *, positions: bool = True) -> dict[str, Any]:
    """Tokens and mask with pad tokens before them; positions too, if wanted, as generate() would count them."""
    sides = ((0, 0), (width, 0))
    made = {
        "input_ids": np.pad(given["input_ids"], sides, constant_values=pad_token(trial)),
        "attention_mask": np.pad(given["attention_mask"], sides),
    }
    if positions and accepts(trial, "position_ids"):
        counted = made["attention_mask"].cumsum(-1) - 1
        made["position_ids"] = np.maximum(counted, 0) + _first_position(trial.module)
    return made


def _sinusoids(module: Any) -> bool:
    """Whether the model adds waves that it keeps for each position, counted by the column unless it is told."""
    return any(name.rpartition(".")[2] == "pos_encoding" for name, _ in module.named_buffers())


def _first_position(module: Any) -> int:
    """Where the model begins to count: at two, where its table keeps the first rows for something else."""
    kept = (buffer for name, buffer in module.named_buffers() if name.endswith("embeddings.position_ids"))
    return next((int(buffer.flatten()[0]) for buffer in kept), 0)
