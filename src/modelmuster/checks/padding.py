"""What the attention mask hides must not be seen, on whichever side it stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import influence, noise_floor, same
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, replaced, text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Family, Finding

HIDDEN = 3
"""Tokens hidden on each side."""

MIXING = ("trigram_input", "pooling_type", "num_landmarks")
"""Settings of encoders that join neighbouring tokens: three at a time, by pooling, as means of segments."""

SIDES = {"right": slice(-HIDDEN, None), "left": slice(None, HIDDEN)}


class Padding(Question):
    """Hides the first or the last tokens of every row and changes what they are; then cuts the last ones off."""

    name = "padding"
    question = "Are tokens that the attention mask hides, on the left or on the right, really without influence?"
    families = frozenset({Family.ENCODER_ONLY, Family.DECODER_ONLY})
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Models that take a mask, and that mix no tokens before it is applied."""
        return text_only(trial) or masked(trial) or mixes_neighbours(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at the tokens that are not hidden."""
        figures = Figures()
        for side, place in SIDES.items():
            wrong = hidden_influence(trial, side, place, figures)
            if wrong == NO_TOKENS:
                return not_applicable(wrong)
            if wrong:
                return failed(wrong, figures)
        wrong = _length_influence(trial, figures)
        return failed(wrong, figures) if wrong else passed(figures)


def masked(trial: Trial) -> str | None:
    """Why nothing can be hidden from the model, or None."""
    mask = trial.inputs.get("attention_mask")
    tokens = trial.inputs.get("input_ids")
    if not isinstance(mask, np.ndarray) or not isinstance(tokens, np.ndarray) or mask.shape != tokens.shape:
        return "fed no attention mask of the shape of its tokens"
    return None


def mixes_neighbours(trial: Trial) -> str | None:
    """Why an encoder's tokens read their neighbours whatever the mask says, or None."""
    if trial.architecture.family is not Family.ENCODER_ONLY or Capability.MODULE not in trial.capabilities:
        return None
    for setting in MIXING:
        if getattr(trial.module.config, setting, None):
            return f"reads each token with its neighbours, hidden or not ({setting})"
    wide = [
        part
        for part in trial.module.modules()
        if isinstance(part, torch.nn.Unfold)
        or (isinstance(part, torch.nn.Conv1d | torch.nn.Conv2d) and part.kernel_size[0] > 1)
    ]
    return "convolutions over the tokens read neighbours, hidden or not" if wide else None


def hidden_influence(trial: Trial, side: str, place: slice, figures: Figures) -> str | None:
    """How other tokens under the mask change the answers for the rest, in words, or None where they do not."""
    length = trial.inputs["input_ids"].shape[1]
    hiding = _hide(trial, dict(trial.inputs), place)
    kept = hiding["attention_mask"].astype(bool)
    before = trial.run(hiding)
    expected = at(before, kept, length)
    if not expected:
        return NO_TOKENS
    after = trial.run(_hide(trial, replaced(trial, place), place))
    compared = same(trial, expected, at(after, kept, length))
    size = compared.outputs[compared.worst].relative_rmse
    figures[f"{side}.relative_rmse"] = size
    if compared.verdict not in {Verdict.PASS, Verdict.UNJUDGED}:
        return f"other tokens under the mask on the {side} change {compared.worst} beside it by {size:.1e} of its size"
    # The tokens that stay see the hidden ones when the mask does not hide them; otherwise it was never read.
    seen = {name: output for name, output in trial.run(_unhidden(trial)).items() if name in expected}
    change, _ = influence(expected, at(seen, kept, length), trial.dtype)
    figures[f"{side}.mask_influence"] = change
    if side == "left" and change <= noise_floor(trial.dtype):
        return f"hiding the first {HIDDEN} tokens changes nothing: the attention mask is not read"
    return None


def _length_influence(trial: Trial, figures: Figures) -> str | None:
    """Rows that are padded on the right against the same rows without their padding."""
    length = trial.inputs["input_ids"].shape[1]
    short = slice(None, length - HIDDEN)
    longer = trial.run(_hide(trial, dict(trial.inputs), SIDES["right"]))
    inputs = {
        name: value[:, short]
        if isinstance(value, np.ndarray) and value.ndim >= 2 and value.shape[1] == length
        else value
        for name, value in trial.inputs.items()
    }
    inputs["attention_mask"] = np.ones_like(inputs["attention_mask"])
    expected = at(trial.run(inputs), short, length - HIDDEN)
    got = at(longer, short, length)
    if set(expected) != set(got):
        return None
    compared = same(trial, expected, got)
    size = compared.outputs[compared.worst].relative_rmse
    figures["length.relative_rmse"] = size
    if compared.verdict not in {Verdict.PASS, Verdict.UNJUDGED}:
        return f"{HIDDEN} hidden tokens on the right change {compared.worst} by {size:.1e} of its size"
    return None


def _hide(trial: Trial, inputs: dict[str, Any], place: slice) -> dict[str, Any]:
    mask = np.ones_like(trial.inputs["attention_mask"])
    mask[:, place] = 0
    return {**inputs, "attention_mask": mask}


def _unhidden(trial: Trial) -> dict[str, Any]:
    return {**trial.inputs, "attention_mask": np.ones_like(trial.inputs["attention_mask"])}
