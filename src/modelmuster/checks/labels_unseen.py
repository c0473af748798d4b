"""Labels are for the loss alone: a model that looks at them while it answers has seen the solution."""

from __future__ import annotations

from modelmuster.checks.differences import agrees, off, same
from modelmuster.checks.labels import Labels, labels_for
from modelmuster.checks.live import outputs
from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding


class LabelsUnseen(Question):
    """Runs with and without labels."""

    name = "labels_unseen"
    question = "Do the answers stay the same when labels are handed in?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Classes that labels can be made for."""
        labels = labels_for(trial)
        return labels if isinstance(labels, str) else None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        labels = labels_for(trial)
        assert isinstance(labels, Labels)
        plain = outputs(trial, trial.inputs)
        compared = same(trial, plain, outputs(trial, {**trial.inputs, **labels.given}))
        if agrees(compared):
            return passed(compared.figures())
        return failed(f"with labels handed in, {off(compared)}", compared.figures())
