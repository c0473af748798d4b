"""Asking for a cache is asking for something more, not for other numbers."""

from __future__ import annotations

from modelmuster.checks.differences import agrees, off, same
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding


class UseCache(Question):
    """Runs the recipe's inputs with and without use_cache."""

    name = "use_cache"
    question = "Are the outputs the same whether a cache is asked for or not?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models whose forward can be asked for a cache."""
        return None if accepts(trial, "use_cache") else "forward cannot be asked for a cache"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        without = outputs(trial, trial.inputs, use_cache=False)
        asked = outputs(trial, trial.inputs, use_cache=True)
        compared = same(trial, without, asked)
        if agrees(compared):
            return passed(compared.figures())
        return failed(f"with a cache asked for, {off(compared)}", compared.figures())
