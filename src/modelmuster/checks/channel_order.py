"""Red is not blue: the channels of a picture are told apart."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.feeding import carriers
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Trial
from modelmuster.records import Finding, Modality

CHANNELS = 3


class ChannelOrder(Question):
    """Reverses the channels of every image and frame."""

    name = "channel_order"
    question = "Does the order of the colour channels matter?"

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed images with an axis of three channels."""
        return None if _pictures(trial) else "fed no image with an axis for its colours"

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule."""
        pictures, inputs = _pictures(trial), trial.inputs
        swapped = {name: np.flip(inputs[name], axis).copy() for name, axis in pictures.items()}
        before, after = main_outputs(trial.baseline()), main_outputs(trial.run({**inputs, **swapped}))
        change, most = influence(before, after, trial.dtype)
        if change <= noise_floor(trial.dtype):
            return failed(
                f"with its colour channels reversed, {most} changes by {change:.1e} only", {"influence": change}
            )
        return passed({"influence": change})


def _pictures(trial: Trial) -> dict[str, int]:
    """Inputs with pictures, and the axis of their channels."""
    found = {}
    for name, modality in carriers(trial).items():
        value = trial.inputs[name]
        if modality not in {Modality.IMAGE, Modality.VIDEO} or not isinstance(value, np.ndarray):
            continue
        for axis in (-3, -1, 1):
            if value.ndim >= 4 and value.dtype.kind == "f" and value.shape[axis] == CHANNELS:
                found[name] = axis
                break
    return found
