"""A forecaster must not see the future that it forecasts, and must use the past that it is given."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import agrees, influence, noise_floor, off, same, size_of
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.records import Family, Finding

PAST, FUTURE = "past_values", "future_values"


class TimeOrder(Question):
    """Changes the last values of the future, then reverses the past."""

    name = "time_order"
    question = "Do later values of a series leave earlier forecasts unchanged, and does the order of the past matter?"
    families = frozenset({Family.TIME_SERIES})

    def applies(self, trial: Trial) -> str | None:
        """Models of series of numbers."""
        return None if isinstance(trial.inputs.get(PAST), np.ndarray) else f"fed no {PAST}"

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance for what comes before, more than its floor for the order."""
        figures, inputs = Figures(), trial.inputs
        if FUTURE in inputs:
            future = inputs[FUTURE]
            half = future.shape[1] // 2
            later = future.copy()
            later[:, half:] = later[:, half:][:, ::-1] + 1
            before = _until(trial.baseline(), half, future.shape[1])
            if before:
                after = _until(trial.run({**inputs, FUTURE: later}), half, future.shape[1])
                compared = same(trial, before, after)
                figures["future.relative_rmse"] = size_of(compared)
                if not agrees(compared):
                    return failed(f"values from step {half} on change what comes before: {off(compared)}", figures)
        reversed_past = {**inputs, PAST: inputs[PAST][:, ::-1].copy()}
        change, most = influence(trial.baseline(), trial.run(reversed_past), trial.dtype)
        figures["order_influence"] = change
        if not trial.baseline():
            return not_applicable("returns no tensor")
        if change <= noise_floor(trial.dtype):
            return failed(f"with its past reversed, {most} changes by {change:.1e} only", figures)
        return passed(figures)


def _until(outputs: Outputs, step: int, length: int) -> dict[str, Output]:
    """The decoder's states before a step."""
    output = outputs.get("last_hidden_state")
    if output is None or output.array.ndim < 3 or output.array.shape[1] != length:
        return {}
    return {"last_hidden_state": Output(output.array[:, :step], output.dtype)}
