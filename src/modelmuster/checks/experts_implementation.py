"""Experts are computed one after the other or all at once; which is a matter of speed, not of results."""

from __future__ import annotations

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import outputs
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Trait

IMPLEMENTATIONS = ("eager", "batched_mm", "grouped_mm")


class ExpertsImplementation(Question):
    """Runs with every way of computing experts that transformers has for the CPU."""

    name = "experts_implementation"
    question = "Do all ways of computing the experts (eager, batched, grouped) give the same outputs?"
    traits = frozenset({Trait.MIXTURE_OF_EXPERTS})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Classes that let the implementation be chosen."""
        chooses = getattr(trial.module, "_can_set_experts_implementation", lambda: False)()
        return None if chooses else "the class has one way of computing its experts"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        module, figures = trial.module, Figures()
        before = module.config._experts_implementation  # noqa: SLF001 - the only name that transformers gives it
        found = {}
        try:
            for name in IMPLEMENTATIONS:
                module.set_experts_implementation(name)
                found[name] = outputs(trial, trial.inputs)
        finally:
            module.set_experts_implementation(before)
        first = IMPLEMENTATIONS[0]
        for name in IMPLEMENTATIONS[1:]:
            compared = same(trial, found[first], found[name])
            figures[f"{name}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"{first} and {name} disagree: {off(compared)}", figures)
        return passed(figures)
