"""A decoder predicts the next token from those before it: a later token must not reach back."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import influence, noise_floor, same
from modelmuster.checks.feeding import settings
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.checks.texts import LEAST, NO_TOKENS, at, replaced, text_only
from modelmuster.contracts import Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Family, Finding, Trait


class Causality(Question):
    """Replaces the later half of the tokens: the earlier answers stay, the later ones change."""

    name = "causality"
    question = "Do later tokens leave the answers for earlier ones unchanged?"
    families = frozenset({Family.DECODER_ONLY, Family.VISION_TEXT, Family.AUDIO_TEXT, Family.ANY_TO_ANY})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed text alone, and language models that hear or see something too."""
        if trial.architecture.family is Family.DECODER_ONLY:
            return text_only(trial)
        traits = set(trial.architecture.traits)
        if Trait.GENERATIVE not in traits or Trait.ENCODER_DECODER in traits:
            return "no language model that writes one token after the other"
        tokens = trial.inputs.get("input_ids")
        if not isinstance(tokens, np.ndarray) or tokens.ndim != 2 or tokens.shape[1] < LEAST:
            return "fed no text of tokens"
        if dict(settings(trial.recipe.config)).get("use_bidirectional_attention"):
            return "reads its prompt both ways (use_bidirectional_attention)"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance before the change; more than noise after it."""
        return ask(trial, "input_ids")


def ask(trial: Trial, name: str) -> Finding:
    """The same question of any token input, such as a decoder's own."""
    length = trial.inputs[name].shape[1]
    middle = length // 2
    before, after = trial.baseline(), trial.run(replaced(trial, slice(middle, None), name))
    early, late = slice(None, middle), slice(middle, None)
    expected = at(before, early, length)
    if not expected:
        return not_applicable(NO_TOKENS)
    compared = same(trial, expected, at(after, early, length))
    change, most = influence(at(before, late, length), at(after, late, length), trial.dtype)
    figures = {**compared.figures(), "later_influence": change, "from_position": middle}
    if compared.verdict not in {Verdict.PASS, Verdict.UNJUDGED}:
        size = compared.outputs[compared.worst].relative_rmse
        return failed(
            f"tokens from position {middle} on change {compared.worst} before it by {size:.1e} of its size: "
            "the future leaks into the past",
            figures,
        )
    if change <= noise_floor(trial.dtype):
        return failed(f"tokens from position {middle} on change nothing, not even {most} at their own place", figures)
    return passed(figures)
