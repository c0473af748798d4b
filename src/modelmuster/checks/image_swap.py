"""Each row has its own image: when two rows with the same text swap theirs, their answers are swapped."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.batches import rows, separable, taken
from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.feeding import batch_size, carriers
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Inputs, Output, Outputs, Trial
from modelmuster.records import Finding, Modality


class ImageSwap(Question):
    """Gives every row the first row's text, then reverses the rest of the batch."""

    name = "image_swap"
    question = "Do two rows with the same text swap their answers when they swap their images?"
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def applies(self, trial: Trial) -> str | None:
        """Inputs whose rows can be told apart, with a text of tokens."""
        if not isinstance(trial.inputs.get("input_ids"), np.ndarray):
            return "fed no text of tokens"
        return separable(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        batch, figures = batch_size(trial) or 0, Figures()
        backwards = list(range(batch))[::-1]
        before = trial.run(_same_text(trial, trial.inputs, batch))
        after = trial.run(_same_text(trial, taken(trial, backwards), batch))
        expected, swapped = _image_rows(before, backwards, batch), _image_rows(after, list(range(batch)), batch)
        if not expected:
            return not_applicable("no output has one row for each image")
        compared = same(trial, expected, swapped)
        figures["relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"with two images swapped, {off(compared)} from its own row before", figures)
        change, most = influence(_image_rows(before, list(range(batch)), batch), expected, trial.dtype)
        figures["influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(f"two images with the same text differ in {most} by {change:.1e} only", figures)
        return passed(figures)


def _same_text(trial: Trial, inputs: Inputs, batch: int) -> dict[str, Any]:
    """All that has the shape of the text taken from the recipe's first row."""
    tokens = trial.inputs["input_ids"]
    seen = {name for name, modality in carriers(trial).items() if modality is not Modality.TEXT}
    return {
        name: np.broadcast_to(trial.inputs[name][:1], value.shape).copy()
        if name not in seen
        and isinstance(value, np.ndarray)
        and value.shape[:2] == tokens.shape[:2]
        and len(value) == batch
        else value
        for name, value in inputs.items()
    }


def _image_rows(outputs: Outputs, order: list[int], batch: int) -> dict[str, Output]:
    """Rows of outputs that belong to a row's image; of a table of pairs, only the axis of the images moves."""
    found = rows({name: output for name, output in outputs.items() if "logits_per" not in name}, order, batch)
    table = outputs.get("logits_per_image")
    if table is not None and table.array.shape == (batch, batch):
        found["logits_per_image"] = Output(table.array[order], table.dtype)
    return found
