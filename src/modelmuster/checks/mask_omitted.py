"""A mask of ones hides nothing: it may as well be left out."""

from __future__ import annotations

import inspect

import numpy as np

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding

MASKS = ("attention_mask", "pixel_mask", "pixel_attention_mask", "decoder_attention_mask", "padding_mask")


class MaskOmitted(Question):
    """Leaves out every mask that forward does not insist on."""

    name = "mask_omitted"
    question = "Is a mask that hides nothing as good as none?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed masks of ones, or could be."""
        return None if _optional(trial) else "takes no mask that could be left out"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        figures = Figures()
        for name in _optional(trial):
            without = {key: value for key, value in trial.inputs.items() if key != name}
            masked = outputs(trial, trial.inputs)
            try:
                plain = outputs(trial, without)
            except (AttributeError, TypeError) as error:
                if "NoneType" not in str(error):
                    raise
                figures[f"{name}.needed"] = str(error)
                continue
            # Some hand the mask itself on.
            compared = same(trial, {key: value for key, value in masked.items() if key in plain}, plain)
            figures[f"{name}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"without its {name} of ones, {off(compared)}", figures)
        if all(name.endswith(".needed") for name in figures):
            return not_applicable(f"cannot do without its mask, whatever its signature says: {figures}")
        return passed(figures)


def _optional(trial: Trial) -> list[str]:
    """Masks of ones among the inputs that have a default."""
    parameters = inspect.signature(trial.module.forward).parameters
    return [
        name
        for name, value in trial.inputs.items()
        if name in MASKS
        and isinstance(value, np.ndarray)
        and (value == 1).all()
        and name in parameters  # a mask that a hook hands on is not forward's own
        and parameters[name].default is not inspect.Parameter.empty
    ]
