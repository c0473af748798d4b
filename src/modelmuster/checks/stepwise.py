"""From the very first token on, one at a time: a recurrent state or an empty cache must lead to the same answers."""

from __future__ import annotations

from modelmuster.checks.decoding import decodes, judged
from modelmuster.checks.question import Question
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding


class Stepwise(Question):
    """Feeds one token at a time, beginning with nothing; runs past the end of a sliding window."""

    name = "stepwise"
    question = "Does feeding one token at a time, from the first on, give what the full pass or scan gives?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed text alone and can keep a cache."""
        return decodes(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at every position."""
        tokens = trial.inputs["input_ids"]
        return judged(trial, tokens, (1,) * tokens.shape[1])
