"""Labels are for the loss alone: a model that looks at them while it answers has seen the solution."""

from __future__ import annotations

from modelmuster.checks.differences import agrees, off, same
from modelmuster.checks.labels import LabelledQuestion, made_labels
from modelmuster.checks.live import outputs
from modelmuster.checks.question import failed, passed
from modelmuster.contracts import Trial
from modelmuster.records import Finding


class LabelsUnseen(LabelledQuestion):
    """Runs with and without labels."""

    name = "labels_unseen"
    question = "Do the answers stay the same when labels are handed in?"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        labels = made_labels(trial)
        plain = outputs(trial, trial.inputs)
        compared = same(trial, plain, outputs(trial, {**trial.inputs, **labels.given}))
        if agrees(compared):
            return passed(compared.figures())
        return failed(f"with labels handed in, {off(compared)}", compared.figures())
