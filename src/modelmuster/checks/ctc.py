"""Connectionist temporal classification: the loss sums over all alignments of the labels with the frames that count."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import ctc_loss

from modelmuster.checks.audio_length import frames_of, masked_sound
from modelmuster.checks.feeding import batch_size
from modelmuster.checks.live import accepts, call
from modelmuster.checks.promises import tasks_of
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.records import Finding, Modality

IGNORED = -100
"""The label that fills rows up."""

LABELS = 3
"""Labels of the first row; each further one has one less, but one at least."""


class Ctc(Question):
    """Hands in labels, with the end of every sound but the first hidden, and computes the loss from the logits."""

    name = "ctc"
    question = "Is the loss of a CTC class that of its logits, for the frames and labels that are not padding?"
    modalities = frozenset({Modality.AUDIO})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Classes for CTC that take labels and a mask over the time of one sound."""
        if "CTC" not in tasks_of(trial) or not accepts(trial, "labels"):
            return "no class for CTC that takes labels"
        return None if masked_sound(trial) else "fed no mask over the time of a sound"

    def run(self, trial: Trial) -> Finding:
        """The floor of the rule, relative to the loss."""
        found = masked_sound(trial)
        assert found is not None
        mask_name = found[1]
        config, rows, inputs = trial.module.config, batch_size(trial) or 0, trial.inputs
        length = inputs[mask_name].shape[-1]
        lengths = [length] + [length // 2] * (rows - 1)
        mask = (np.arange(length) < np.array(lengths)[:, None]).astype(inputs[mask_name].dtype)
        labels = _labels(trial, rows)
        returned = call(trial, {**inputs, mask_name: mask, "labels": labels})
        if getattr(returned, "loss", None) is None:
            return not_applicable("returns no loss for its labels")
        # How many frames a shorter sound has is seen by cutting it, not by the model's own formula.
        frames = [frames_of(trial, found, own, row) or 0 for row, own in enumerate(lengths)]
        logits, wanted = returned.logits.double().cpu(), torch.from_numpy(labels)
        expected = float(
            ctc_loss(
                logits.log_softmax(-1).transpose(0, 1),
                wanted[wanted != IGNORED],
                torch.tensor(frames),
                (wanted != IGNORED).sum(1),
                blank=config.pad_token_id,
                reduction=getattr(config, "ctc_loss_reduction", "mean"),
                zero_infinity=getattr(config, "ctc_zero_infinity", False),
            )
        )
        reported, tolerance = float(returned.loss), TOLERANCES[trial.dtype]
        bound = 2 * tolerance.floor * tolerance.step * abs(expected)
        figures = Figures(reported=reported, expected=expected, bound=bound, frames=", ".join(map(str, frames)))
        if abs(reported - expected) <= bound:
            return passed(figures)
        return failed(f"reports a loss of {reported:.6g}, by its own logits it is {expected:.6g}", figures)


def _labels(trial: Trial, rows: int) -> np.ndarray:
    """Words other than the blank, fewer in each row, filled up."""
    blank, words = trial.module.config.pad_token_id, trial.module.config.vocab_size
    ordinary = [word for word in range(words) if word != blank]
    labels = np.full((rows, LABELS), IGNORED, np.int64)
    for row in range(rows):
        count = max(LABELS - row, 1)
        labels[row, :count] = [ordinary[(3 + 5 * row + 2 * place) % len(ordinary)] for place in range(count)]
    return labels
