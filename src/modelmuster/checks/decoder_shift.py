"""Trained by its labels, a decoder must read the start token and then each label but the last."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import agrees, off, same
from modelmuster.checks.labels import IGNORED, labels_for, made_labels
from modelmuster.checks.live import outputs
from modelmuster.checks.question import Question, failed, passed
from modelmuster.checks.texts import pad_token
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Trait


class DecoderShift(Question):
    """Hands in labels without decoder ids, and the ids that should follow from them without labels."""

    name = "decoder_shift"
    question = "Does the decoder, given labels alone, read its start token and then the labels shifted by one?"
    traits = frozenset({Trait.ENCODER_DECODER})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Sequence-to-sequence classes with a start token."""
        labels = labels_for(trial)
        if isinstance(labels, str):
            return labels
        if "decoder_input_ids" not in trial.inputs or "labels" not in labels.given:
            return "no decoder ids follow from the labels of this task"
        if not isinstance(getattr(trial.module.config, "decoder_start_token_id", None), int):
            return "the configuration names no decoder_start_token_id"
        if getattr(trial.module.config, "pad_token_id", None) is None:
            return "the configuration names no pad_token_id for labels that are ignored"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        wanted = made_labels(trial).given["labels"]
        start = trial.module.config.decoder_start_token_id
        shifted = np.concatenate([np.full((len(wanted), 1), start), wanted[:, :-1]], 1)
        pad = trial.module.config.pad_token_id
        shifted[shifted == IGNORED] = pad if isinstance(pad, int) else pad_token(trial)
        plain = {name: value for name, value in trial.inputs.items() if not name.startswith("decoder_")}
        by_hand = outputs(trial, {**plain, "decoder_input_ids": shifted})
        by_labels = outputs(trial, {**plain, "labels": wanted})
        compared = same(trial, by_hand, by_labels)
        if agrees(compared):
            return passed(compared.figures())
        return failed(f"fed by its labels alone, {off(compared)} from the labels shifted by hand", compared.figures())
