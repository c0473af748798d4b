"""Greedy generation is nothing but the largest logit, again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from modelmuster.checks.live import arguments, call
from modelmuster.checks.question import Question, failed, passed
from modelmuster.checks.texts import text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.numerics.seeding import seed_forward
from modelmuster.records import Family, Finding, Stage, Trait

NEW_TOKENS = 4

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
        if not getattr(trial.module, "can_generate", lambda: False)():
            return "this class cannot generate"
        return text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """Exact, but for ties."""
        from transformers import GenerationConfig

        module = trial.module
        decoder = trial.architecture.family is Family.ENCODER_DECODER
        given = {name: trial.inputs[name] for name in ("input_ids", "attention_mask") if name in trial.inputs}
        if not decoder:
            given["attention_mask"] = np.ones_like(given["input_ids"])
        start = getattr(module.config, "decoder_start_token_id", None)
        start = start if isinstance(start, int) else 0
        settings = GenerationConfig(
            max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1, pad_token_id=0, decoder_start_token_id=start
        )
        trial.entering(Stage.RUN)
        seed_forward()
        with torch.no_grad():
            made = module.generate(**arguments(trial, given), generation_config=settings).cpu().numpy()
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
