"""Position embeddings that are said to be interpolated take images of another size, and leave their own as it is."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import agrees, floats, off, same, size_of
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Modality

FLAG = "interpolate_pos_encoding"
IMAGE = "pixel_values"


class Interpolation(Question):
    """Asks for interpolation at the recipe's own size, then at twice the height."""

    name = "interpolation"
    question = "Are interpolated position embeddings exact at their own size, and do other sizes run with them?"
    modalities = frozenset({Modality.IMAGE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Image models whose forward takes the flag."""
        if not accepts(trial, FLAG):
            return f"forward takes no {FLAG}"
        value = trial.inputs.get(IMAGE)
        if set(trial.recipe.modalities) - {Modality.IMAGE, Modality.TEXT} or value is None or value.ndim != 4:
            return "fed no plain batch of images"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at its own size; finite and different at another."""
        figures, inputs = Figures(), trial.inputs
        plain = outputs(trial, inputs)
        compared = same(trial, plain, outputs(trial, inputs, **{FLAG: True}))
        figures["own_size.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"interpolated to its own size, {off(compared)}", figures)
        taller = {**inputs, IMAGE: np.concatenate([inputs[IMAGE], inputs[IMAGE][:, :, ::-1]], 2)}
        found = floats(outputs(trial, taller, **{FLAG: True}))
        spoiled = [name for name, array in found.items() if not np.isfinite(array).all()]
        figures["outputs"] = len(found)
        if spoiled:
            return failed(f"at twice the height, {spoiled[0]} is not finite", figures)
        return passed(figures)
