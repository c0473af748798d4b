"""Rows of a batch are strangers: what stands beside a row must not change its answer."""

from __future__ import annotations

from modelmuster.checks.batches import by_row, comparable, rows, separable, tables, taken
from modelmuster.checks.determinism import unless_drawn
from modelmuster.checks.differences import same
from modelmuster.checks.feeding import batch_size
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Finding


class BatchInvariance(Question):
    """Runs each row alone; other kernels may be chosen for one row, so twice the rule's tolerance is allowed."""

    name = "batch_invariance"
    question = "Does each row of a batch give the same numbers alone as among others?"
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Inputs whose rows can be told apart."""
        return separable(trial)

    def run(self, trial: Trial) -> Finding:
        """Every row in turn."""
        batch, figures = batch_size(trial) or 0, Figures()
        together, pairs = by_row(trial), tables(trial)
        if not rows(together, [0], batch):
            return not_applicable("no output has one row for each of the batch")
        for row in range(batch):
            alone = trial.run(taken(trial, [row]))
            compared = same(trial, comparable(rows(together, [row], batch, pairs), alone), alone)
            if not compared.outputs:
                return not_applicable("what a row gives depends on the longest row of its batch")
            figures[f"row_{row}.relative_rmse"] = compared.outputs[compared.worst].relative_rmse
            if compared.verdict not in {Verdict.PASS, Verdict.UNJUDGED}:
                judged = compared.outputs[compared.worst]
                message = (
                    f"row {row} alone differs from itself in the batch: {compared.worst} is off by "
                    f"{judged.relative_rmse:.1e} of its size ({judged.rule})"
                )
                return unless_drawn(trial, failed(message, figures | compared.figures()))
        return passed(figures)
