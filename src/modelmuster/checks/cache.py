"""Decoding with a cache is an optimisation: step by step it must give what one full pass gives."""

from __future__ import annotations

from modelmuster.checks.decoding import decodes, judged
from modelmuster.checks.question import Question
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding, Trait

STEPS = (2, 1, 1)
"""Tokens fed in each step after the prefix: two at once, then single ones."""

SINGLE_STEPS = (1, 1, 1, 1)
"""Those of recurrent models, whose state takes one token at a time by contract."""


class CachedDecoding(Question):
    """Feeds a prefix, then the rest in steps, without positions and masks that would hide a wrong count."""

    name = "cache"
    question = "Does decoding with the cache, step by step, give what a full forward pass gives?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed text alone and can keep a cache."""
        return decodes(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at every position."""
        tokens = trial.inputs["input_ids"]
        steps = SINGLE_STEPS if Trait.STATE_SPACE in trial.architecture.traits else STEPS
        return judged(trial, tokens, (tokens.shape[1] - sum(steps), *steps))
