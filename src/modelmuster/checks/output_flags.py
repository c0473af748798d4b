"""Hidden states and attention maps are asked for beside the answers; the answers must not depend on it."""

from __future__ import annotations

from modelmuster.checks.attention_maps import attends
from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import outputs, refused
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding

FLAGS = ("output_hidden_states", "output_attentions")


class OutputFlags(Question):
    """Asks for each and compares what was returned without it."""

    name = "output_flags"
    question = "Do the answers stay the same when hidden states or attention maps are asked for too?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that can be asked for them."""
        return None if attends(trial) else "forward takes no such flags"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        plain, figures = outputs(trial, trial.inputs), Figures()
        for flag in FLAGS:
            try:
                asked = outputs(trial, trial.inputs, **{flag: True})
            except ValueError as refusal:
                if not refused(refusal, flag):
                    raise
                figures[flag] = f"refused: {refusal}"
                continue
            compared = same(trial, plain, asked)
            figures[f"{flag}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"with {flag}, {off(compared)}", figures)
        if all(flag in figures for flag in FLAGS):
            return not_applicable(f"the class refuses: {figures}")
        return passed(figures)
