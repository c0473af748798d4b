"""A film that runs backwards is another film."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.feeding import carriers
from modelmuster.checks.forward import main_outputs
from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Trial
from modelmuster.records import Finding, Modality


class FrameOrder(Question):
    """Reverses the frames of every video."""

    name = "frame_order"
    question = "Does the order of the frames of a video matter?"
    modalities = frozenset({Modality.VIDEO})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed clips of several frames."""
        return None if _clips(trial) else "fed no video with an axis for its frames"

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule."""
        inputs = trial.inputs
        backwards = {name: np.flip(inputs[name], axis).copy() for name, axis in _clips(trial).items()}
        before, after = main_outputs(trial.baseline()), main_outputs(trial.run({**inputs, **backwards}))
        change, most = influence(before, after, trial.dtype)
        if change <= noise_floor(trial.dtype):
            return failed(f"with its frames reversed, {most} changes by {change:.1e} only", {"influence": change})
        return passed({"influence": change})


def _clips(trial: Trial) -> dict[str, int]:
    """Videos of batch × frames × channels × height × width, or with channels first, and the axis of the frames."""
    found = {}
    for name, modality in carriers(trial).items():
        value = trial.inputs[name]
        if modality is Modality.VIDEO and isinstance(value, np.ndarray) and value.ndim == 5:
            axis = 2 if value.shape[1] == 3 else 1
            if value.shape[axis] > 1:
                found[name] = axis
    return found
