"""generate() with its cache against generate() without: the only way to ask a model of images or speech to decode."""

from __future__ import annotations

from modelmuster.checks.determinism import unless_drawn
from modelmuster.checks.differences import agrees, off
from modelmuster.checks.generation import compared_steps, generate, generates, logits_of, prompt
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Trait


class GenerateCached(Question):
    """Compares the logits of every step as long as both choose the same tokens."""

    name = "generate_cached"
    question = "Does generate() choose by the same logits with its cache as without?"
    traits = frozenset({Trait.GENERATIVE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Every model that generates tokens, whatever it is fed."""
        return generates(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance; up to the first tie that rounding decides otherwise."""
        given = prompt(trial)
        try:
            cached, plain = (logits_of(generate(trial, given, use_cache=used)) for used in (True, False))
        except ImportError as lacking:
            return not_applicable(f"generate() needs a package that is not installed: {lacking}")
        if cached is None or plain is None:
            return not_applicable("generate() returns no logits")
        compared, steps = compared_steps(trial, plain, cached)
        figures = {**compared.figures(), "steps": steps}
        if agrees(compared):
            return passed(figures)
        return unless_drawn(trial, failed(f"with its cache, {off(compared)}", figures))
