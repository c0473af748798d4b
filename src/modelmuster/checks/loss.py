"""The loss is a formula: what the model reports must be what its own logits give."""

from __future__ import annotations

from modelmuster.checks.labels import LabelledQuestion, made_labels
from modelmuster.checks.live import call
from modelmuster.checks.question import failed, not_applicable, passed
from modelmuster.contracts import Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.records import Finding


class LossByHand(LabelledQuestion):
    """Hands in labels, some of them ignored, and computes the cross-entropy from the returned logits."""

    name = "loss"
    question = "Is the loss the cross-entropy of the logits with the labels, in their right places?"

    def run(self, trial: Trial) -> Finding:
        """The floor of the rule, relative to the loss."""
        labels = made_labels(trial)
        returned = call(trial, {**trial.inputs, **labels.given})
        if getattr(returned, "loss", None) is None:
            return not_applicable("returns no loss for its labels")
        if labels.positions is not None and returned.logits.shape[1] != labels.positions:
            return not_applicable(f"answers {returned.logits.shape[1]} places for {labels.positions} labels")
        reported, expected = float(returned.loss), float(labels.loss(returned))
        tolerance = TOLERANCES[trial.dtype]
        bound = 2 * tolerance.floor * tolerance.step * abs(expected)
        figures = {"reported": reported, "expected": expected, "bound": bound}
        if abs(reported - expected) <= bound:
            return passed(figures)
        return failed(f"reports a loss of {reported:.6g}, by its own logits it is {expected:.6g}", figures)
