"""Greedy generation is nothing but the largest logit, again and again."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.generation import generate, generates
from modelmuster.checks.live import call
from modelmuster.checks.question import Question, failed, passed
from modelmuster.checks.texts import text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.records import Family, Finding, Trait

TIE = 4.0
"""Logits nearer than this many floors of the rule's tolerance are a tie, which rounding may decide either way."""


class GenerateGreedy(Question):
    """generate() with its cache against full forward passes without one."""

    name = "generate_greedy"
    question = "Does greedy generation choose, at every step, the token with the largest logit of a full pass?"
    families = frozenset({Family.DECODER_ONLY, Family.ENCODER_DECODER})
    traits = frozenset({Trait.GENERATIVE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models with a generate method."""
        return generates(trial) or text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """Exact, but for ties."""
        decoder = trial.architecture.family is Family.ENCODER_DECODER
        given = {name: trial.inputs[name] for name in ("input_ids", "attention_mask") if name in trial.inputs}
        if not decoder:
            given["attention_mask"] = np.ones_like(given["input_ids"])
        made = generate(trial, given).sequences.cpu().numpy()
        return _compare(trial, given, made, decoder=decoder)


def _compare(trial: Trial, given: dict[str, Any], made: np.ndarray, *, decoder: bool) -> Finding:
    begin = 1 if decoder else given["input_ids"].shape[1]
    for place in range(begin, made.shape[1]):
        prefix = made[:, :place]
        inputs = {**given, "decoder_input_ids": prefix} if decoder else {"input_ids": prefix}
        logits = call(trial, inputs, use_cache=False).logits[:, -1].float().cpu().numpy()
        chosen = np.take_along_axis(logits, made[:, place : place + 1], 1)[:, 0]
        tolerance = TOLERANCES[trial.dtype]
        tie = TIE * tolerance.floor * tolerance.step * np.abs(logits).max()
        behind = logits.max(1) - chosen
        if (behind > tie).any():
            row = int(behind.argmax())
            return failed(
                f"token {place - begin} of row {row}: generate() chose {made[row, place]}, "
                f"the full pass {logits[row].argmax()}, whose logit is larger by {behind[row]:.3g}",
                {"step": place - begin, "behind": float(behind[row]), "tie": float(tie)},
            )
    return passed({"tokens": int(made.shape[1] - begin)})
