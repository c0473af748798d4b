"""A policy that continues a trajectory predicts each action before it is taken."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.records import Finding, Modality

STATES, ACTIONS = "states", "actions"
PREDICTED = "action_preds"


class Trajectory(Question):
    """Changes the actions from the middle of the trajectory on, then the states."""

    name = "trajectory"
    question = "Is each action of a trajectory predicted from what comes before it, and from its own state?"
    modalities = frozenset({Modality.TABULAR})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed states and actions and predict the actions."""
        if not all(isinstance(trial.inputs.get(name), np.ndarray) for name in (STATES, ACTIONS)):
            return "fed no trajectory of states and actions"
        return None if PREDICTED in trial.baseline() else "predicts no actions"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance for what comes later, more than its floor for an action's own state."""
        figures, middle = Figures(), trial.inputs[ACTIONS].shape[1] // 2
        before = _until(trial.baseline(), middle + 1)
        compared = same(trial, before, _until(_changed(trial, ACTIONS, middle), middle + 1))
        figures["later_actions.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"the actions from step {middle} on reach their own prediction: {off(compared)}", figures)
        compared = same(trial, _until(before, middle), _until(_changed(trial, STATES, middle), middle))
        figures["later_states.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"the states from step {middle} on reach back: {off(compared)}", figures)
        change, _ = influence(before, _until(_changed(trial, STATES, middle), middle + 1), trial.dtype)
        figures["own_state.influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(f"an action's own state changes its prediction by {change:.1e} only", figures)
        return passed(figures)


def _changed(trial: Trial, name: str, start: int) -> Outputs:
    value = trial.inputs[name].copy()
    value[:, start:] = 0.5 - value[:, start:][..., ::-1]
    return trial.run({**trial.inputs, name: value})


def _until(outputs: Outputs, step: int) -> dict[str, Output]:
    output = outputs[PREDICTED]
    return {PREDICTED: Output(output.array[:, :step], output.dtype)}
