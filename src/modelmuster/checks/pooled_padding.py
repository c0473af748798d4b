"""An answer for a whole text must not depend on what its mask hides."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.feeding import batch_size
from modelmuster.checks.padding import HIDDEN, masked
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import PER_TOKEN, replaced, text_only
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.records import Family, Finding


class PooledPadding(Question):
    """Changes hidden tokens at the end and looks at the outputs that have one line for each text."""

    name = "pooled_padding"
    question = "Is an answer for a whole text independent of the tokens that the mask hides?"
    families = frozenset({Family.ENCODER_ONLY, Family.DECODER_ONLY, Family.ENCODER_DECODER})
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that take a mask."""
        return text_only(trial) or masked(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        mask = np.ones_like(trial.inputs["attention_mask"])
        mask[:, -HIDDEN:] = 0
        before = _whole(trial, trial.run({**trial.inputs, "attention_mask": mask}))
        if not before:
            return not_applicable("no output has one line for each text")
        changed = {**replaced(trial, slice(-HIDDEN, None)), "attention_mask": mask}
        compared = same(trial, before, trial.run(changed))
        figures = Figures(relative_rmse=size_of(compared))
        if agrees(compared):
            return passed(figures)
        return failed(f"with other tokens under the mask, {off(compared)}", figures)


def _whole(trial: Trial, outputs: Outputs) -> dict[str, Output]:
    length = trial.inputs["input_ids"].shape[1]
    return {
        name: output
        for name, output in outputs.items()
        if name not in PER_TOKEN[1:]
        and output.array.ndim == 2
        and output.array.shape[0] == batch_size(trial)
        and output.array.shape[1] != length
    }
