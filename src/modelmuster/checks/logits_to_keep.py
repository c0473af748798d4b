"""Asked for the logits of the last tokens only, a model must return those of the full pass."""

from __future__ import annotations

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Output, Trial
from modelmuster.records import Finding

KEPT = (1, 3)


class LogitsToKeep(Question):
    """Asks for the last one and the last three."""

    name = "logits_to_keep"
    question = "Are the logits of the last tokens the same when only those are asked for?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that can be asked so."""
        return None if accepts(trial, "logits_to_keep") else "forward takes no logits_to_keep"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        full, figures = outputs(trial, trial.inputs).get("logits"), Figures()
        if full is None or full.array.ndim < 3:
            return not_applicable("returns no logits for each token")
        for kept in KEPT:
            got = {"logits": outputs(trial, trial.inputs, logits_to_keep=kept)["logits"]}
            compared = same(trial, {"logits": Output(full.array[:, -kept:], full.dtype)}, got)
            figures[f"{kept}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"asked for the last {kept}, {off(compared)}", figures)
        return passed(figures)
