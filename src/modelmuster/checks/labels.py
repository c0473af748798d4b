"""Labels for the usual tasks, and the loss that they promise, written down after its definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from modelmuster.checks.feeding import special_ids
from modelmuster.checks.live import accepts
from modelmuster.checks.promises import tasks_of
from modelmuster.checks.question import Question
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family

IGNORED = -100
"""The label of what does not count."""

_NEXT = {"CAUSAL_LM", "IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM"}
_HERE = {"MASKED_LM"}
_SEQUENCES = {"SEQ_TO_SEQ_CAUSAL_LM", "SPEECH_SEQ_2_SEQ"}
_ROWS = {"SEQUENCE_CLASSIFICATION", "IMAGE_CLASSIFICATION", "AUDIO_CLASSIFICATION", "VIDEO_CLASSIFICATION"}
_TOKENS = {"TOKEN_CLASSIFICATION"}
_SPANS = {"QUESTION_ANSWERING"}

Loss = Callable[[Any], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Labels:
    """What to hand in, and how the loss follows from the outputs."""

    given: dict[str, np.ndarray]
    loss: Loss
    positions: int | None = None
    """Places that the logits must have; None where they are one for each row."""


class LabelledQuestion(Question):
    """Asked of the classes that labels can be made for."""

    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Classes whose task has a plain cross-entropy for a loss."""
        labels = labels_for(trial)
        return labels if isinstance(labels, str) else None


def made_labels(trial: Trial) -> Labels:
    """Labels for a class that `labels_for` has some for."""
    labels = labels_for(trial)
    assert isinstance(labels, Labels)
    return labels


def labels_for(trial: Trial) -> Labels | str:
    """Labels for the trial's class, or the reason why there are none."""
    tasks, inputs = tasks_of(trial), trial.inputs
    if tasks & _SPANS and accepts(trial, "start_positions"):
        return _span(inputs)
    if not accepts(trial, "labels"):
        return "forward takes no labels"
    if accepts(trial, "target_mapping"):
        return "predicts what its target mapping names, not the next token"
    if getattr(trial.module.config, "ngram", 1) != 1:
        return "predicts several tokens ahead, and its loss is about all of them"
    tokens, decoded = inputs.get("input_ids"), inputs.get("decoder_input_ids")
    if tasks & (_SEQUENCES | _NEXT) and isinstance(decoded, np.ndarray):
        return _words(_other(decoded), shift=0)
    if tasks & _ROWS and "IMAGE_CLASSIFICATION" in tasks and tokens is not None:
        return "classifies by the words that it would write, and its labels are words"
    if tasks & _ROWS:
        return _rows(trial)
    if not isinstance(tokens, np.ndarray) or tokens.ndim != 2:
        return "fed no tokens that labels could be made of"
    if tasks & _TOKENS:
        return _words(np.arange(tokens.size).reshape(tokens.shape) % _classes(trial), shift=0)
    if tasks & _HERE and (trial.architecture.family is Family.ENCODER_ONLY or not tasks & _NEXT):
        return _words(_other(tokens), shift=0)
    if tasks & _NEXT:
        special = special_ids(trial)
        return _words(np.where(np.isin(tokens, special), IGNORED, tokens), shift=1)
    return "the loss of this task is not a plain cross-entropy"


def _other(tokens: np.ndarray) -> np.ndarray:
    """Labels that are not the tokens at the same places."""
    return np.roll(tokens, 1, 1)


def _words(labels: np.ndarray, *, shift: int) -> Labels:
    """One class for each token, the second row's last two ignored; `shift` places behind what predicts it."""
    labels = labels.astype(np.int64)
    labels[-1, -2:] = IGNORED

    def loss(returned: Any) -> torch.Tensor:
        logits = returned.logits.double()
        wanted = torch.from_numpy(labels).to(logits.device)
        if shift:
            logits, wanted = logits[:, :-shift], wanted[:, shift:]
        return cross_entropy(logits.reshape(-1, logits.shape[-1]), wanted.reshape(-1), ignore_index=IGNORED)

    return Labels({"labels": labels}, loss, labels.shape[1])


def _rows(trial: Trial) -> Labels:
    rows = next(value.shape[0] for value in trial.inputs.values() if isinstance(value, np.ndarray) and value.ndim)
    labels = np.arange(1, rows + 1, dtype=np.int64) % max(_classes(trial), 2)

    def loss(returned: Any) -> torch.Tensor:
        logits = returned.logits.double()
        return cross_entropy(logits, torch.from_numpy(labels).to(logits.device))

    return Labels({"labels": labels}, loss)


def _span(inputs: Any) -> Labels:
    rows = next(value.shape[0] for value in inputs.values() if isinstance(value, np.ndarray) and value.ndim)
    start, end = np.arange(1, rows + 1, dtype=np.int64), np.arange(3, rows + 3, dtype=np.int64)

    def loss(returned: Any) -> torch.Tensor:
        pairs = ((returned.start_logits, start), (returned.end_logits, end))
        parts = [cross_entropy(logits.double(), torch.from_numpy(place).to(logits.device)) for logits, place in pairs]
        return torch.stack(parts).mean()

    return Labels({"start_positions": start, "end_positions": end}, loss)


def _classes(trial: Trial) -> int:
    return int(getattr(trial.module.config, "num_labels", 2))
