"""Decoders are padded on the left; a padded row must be answered like the same row without its padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.padding import masked
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, pad_token, text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding

WIDTH = 3
"""Pad tokens put before every row."""


class LeftPadding(Question):
    """Puts pad tokens before each row, hidden by the mask, with positions counted from the first real token."""

    name = "left_padding"
    question = "Is a row that was padded on the left answered like the same row without padding?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that take a mask."""
        return text_only(trial) or masked(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at the real tokens."""
        tokens, figures = trial.inputs["input_ids"], Figures()
        given = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        length = tokens.shape[1]
        plain = at(outputs(trial, given), slice(None), length)
        if not plain:
            return not_applicable(NO_TOKENS)
        padded = at(outputs(trial, left_padded(trial, given, WIDTH)), slice(WIDTH, None), length + WIDTH)
        compared = same(trial, plain, padded)
        figures["relative_rmse"] = size_of(compared)
        if agrees(compared):
            return passed(figures)
        return failed(f"with {WIDTH} pad tokens on the left, {off(compared)}", figures)


def left_padded(trial: Trial, given: dict[str, Any], width: int) -> dict[str, Any]:
    """Tokens and mask with pad tokens before them; positions too, as generate() would count them."""
    sides = ((0, 0), (width, 0))
    made = {
        "input_ids": np.pad(given["input_ids"], sides, constant_values=pad_token(trial)),
        "attention_mask": np.pad(given["attention_mask"], sides),
    }
    if accepts(trial, "position_ids"):
        positions = made["attention_mask"].cumsum(-1) - 1
        made["position_ids"] = np.maximum(positions, 0)
    return made
