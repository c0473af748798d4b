"""Each row of a batch has a mask of its own, and no other row's may be taken for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.batches import by_row, comparable, rows, separable, taken
from modelmuster.checks.determinism import unless_drawn
from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.feeding import batch_size
from modelmuster.checks.live import accepts
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding

PIXEL_MASK = "pixel_mask"

MASKS = ("attention_mask", PIXEL_MASK, "padding_mask", "decoder_attention_mask", "past_observed_mask")
HIDDEN_SHARE = 4
"""One part in so many is hidden, from the end of the last axis."""


class MasksByRow(Question):
    """Hides the end of every other row, and runs each row alone with its mask."""

    name = "masks_by_row"
    question = "Is each row of a batch answered by its own mask, and not by another row's?"
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Inputs whose rows can be told apart, with a mask for each."""
        reason = separable(trial)
        if reason is None and not _masks(trial):
            return "fed no mask that hides parts of a row"
        return reason

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        batch, figures = batch_size(trial) or 0, Figures()
        masks = _masks(trial)
        of_rows = by_row(trial)
        together = {name: found for name, found in trial.run({**trial.inputs, **masks}).items() if name in of_rows}
        if not rows(together, [0], batch):
            return not_applicable("no output has one row for each of the batch")
        for row in range(batch):
            own = {name: mask[[row]] for name, mask in masks.items()}
            alone = trial.run({**taken(trial, [row]), **own})
            compared = same(trial, comparable(rows(together, [row], batch), alone), alone)
            if not compared.outputs:
                return not_applicable("what a row gives depends on the longest row of its batch")
            figures[f"row_{row}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                message = f"row {row} alone, with its own mask, differs from itself in the batch: {off(compared)}"
                return unless_drawn(trial, failed(message, figures))
        return passed(figures)


def _masks(trial: Trial) -> dict[str, Any]:
    """The masks of the inputs, with the end of every other row hidden."""
    found = {}
    for name in MASKS:
        if name == "attention_mask" and len(set(trial.recipe.modalities)) > 1:
            continue  # the end of a text may be the places of an image
        mask = _pixel_mask(trial) if name == PIXEL_MASK else trial.inputs.get(name)
        if isinstance(mask, np.ndarray) and 2 <= mask.ndim <= 3 and mask.shape[-1] >= HIDDEN_SHARE:
            mask = np.ones_like(mask)
            mask[1::2, ..., -(mask.shape[-1] // HIDDEN_SHARE) :] = 0
            found[name] = mask
    return found


def _pixel_mask(trial: Trial) -> np.ndarray | None:
    """The mask of height × width that is fed, or that could be fed beside a plain batch of images."""
    fed, pixels = trial.inputs.get(PIXEL_MASK), trial.inputs.get("pixel_values")
    if fed is not None or Capability.MODULE not in trial.capabilities or not accepts(trial, PIXEL_MASK):
        return fed
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 4:
        return None
    return np.ones((len(pixels), *pixels.shape[-2:]), np.int64)
