"""Beam search: the score that it reports for a sequence is the probability that the model gives to its tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.generation import generate, generates, prompt
from modelmuster.checks.live import accepts, call
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.checks.texts import text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.records import Family, Finding, Trait

BEAMS = 3

SLACK = 64.0
"""Steps of the dtype's floor that the mean log-probability of a token may be off: it is a sum of many roundings."""


class BeamSearch(Question):
    """Generates with beams, whose cache changes rows at every step, and scores the result by one full pass."""

    name = "beam_search"
    question = "Is the score that beam search reports the log-probability of its tokens in a full pass?"
    families = frozenset({Family.DECODER_ONLY, Family.ENCODER_DECODER})
    traits = frozenset({Trait.GENERATIVE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models with a generate method, whose state can change rows."""
        if getattr(trial.module, "_is_stateful", False):
            return "a state cannot be reordered between beams"
        return generates(trial) or text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """The tolerance of the rule's floor, times the logits' size, for each token's log-probability."""
        given = {name: value for name, value in prompt(trial).items() if name in {"input_ids", "attention_mask"}}
        decoder = trial.architecture.family is Family.ENCODER_DECODER
        made = generate(trial, given, num_beams=BEAMS, output_scores=True, length_penalty=0.0)
        found = getattr(made, "sequences_scores", None)
        if found is None:
            return not_applicable("generate() reports no scores of its beams")
        sequences, begin = made.sequences.cpu().numpy(), 1 if decoder else given["input_ids"].shape[1]
        expected, size = _log_probability(trial, given, sequences, begin, decoder=decoder)
        difference = float(np.abs(found.float().cpu().numpy() - expected).max())
        tolerance = TOLERANCES[trial.dtype]
        bound = SLACK * tolerance.floor * tolerance.step * max(size, 1.0)
        figures = {"difference": difference, "bound": bound, "beams": BEAMS}
        if difference <= bound:
            return passed(figures)
        return failed(
            f"beam search reports {float(found[0]):.4f} for its first sequence, whose log-probability in a full pass "
            f"is {expected[0]:.4f}",
            figures,
        )


def _log_probability(
    trial: Trial, given: dict[str, Any], sequences: np.ndarray, begin: int, *, decoder: bool
) -> tuple[np.ndarray, float]:
    """Of each sequence's new tokens, and the largest logit."""
    fed = sequences[:, :-1]
    if decoder:
        inputs = {**given, "decoder_input_ids": fed}
    else:
        inputs = {"input_ids": fed}
        if accepts(trial, "attention_mask"):
            inputs["attention_mask"] = np.ones_like(fed)
    logits = call(trial, inputs, use_cache=False).logits[:, begin - 1 :].double()
    chosen = np.take_along_axis(logits.log_softmax(-1).cpu().numpy(), sequences[:, begin:, None], 2)
    return chosen[..., 0].sum(1), float(logits.abs().max())
