"""Changing the order of the rows changes the order of the answers, and nothing else."""

from __future__ import annotations

from modelmuster.checks.batches import by_row, rows, separable, tables, taken
from modelmuster.checks.determinism import unless_drawn
from modelmuster.checks.differences import same
from modelmuster.checks.feeding import batch_size
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Finding


class BatchPermutation(Question):
    """Runs the batch backwards; catches mixtures of the axes that a row alone cannot show."""

    name = "batch_permutation"
    question = "Do the answers of a batch come in the order of its rows?"
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Inputs whose rows can be told apart."""
        return separable(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance, since both runs round."""
        batch = batch_size(trial) or 0
        order = list(range(batch))[::-1]
        expected = rows(by_row(trial), order, batch, tables(trial))
        if not expected:
            return not_applicable("no output has one row for each of the batch")
        compared = same(trial, expected, trial.run(taken(trial, order)))
        if compared.verdict in {Verdict.PASS, Verdict.UNJUDGED}:
            return passed(compared.figures())
        judged = compared.outputs[compared.worst]
        message = f"with its rows in reverse order, {compared.worst} is off by {judged.relative_rmse:.1e} of its size"
        return unless_drawn(trial, failed(message, compared.figures()))
