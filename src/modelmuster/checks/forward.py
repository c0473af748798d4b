"""Does it run, and not vacuously? A model that hears nothing can still return finite numbers of the right shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from modelmuster.checks.differences import floats, influence, noise_floor, relative_rms
from modelmuster.checks.feeding import are_ids, batch_size, carriers, changed, mixed
from modelmuster.checks.promises import broken_promise
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Trial
from modelmuster.numerics.rule import saturated
from modelmuster.records import Finding, Modality

T = TypeVar("T")

_MAIN = ("logits", "last_hidden_state")


class Forward(Question):
    """Runs the recipe's inputs, then each data input changed."""

    name = "forward"
    question = "Does it return finite outputs of the promised shapes that depend on every kind of input it was fed?"

    def run(self, trial: Trial) -> Finding:
        """Exact shapes; more than the floor of the rule for every influence."""
        figures: Figures = {}
        for part in (_unfed, _not_finite, broken_promise, _constant, _deaf):
            wrong = part(trial, figures)
            if wrong:
                return failed(wrong, figures)
        return passed(figures)


def _unfed(trial: Trial, figures: Figures) -> str | None:
    """Kinds of input that the class takes in, or that the recipe claims to feed, but that no input carries."""
    carrying = carriers(trial)
    fed = set(carrying.values()).union(*(mixed(trial, name) for name in carrying))
    if any(are_ids(name) for name in carrying):
        # Whatever ids stand for, code words of sound among it, the catalogue calls them text.
        fed.add(Modality.TEXT)
    figures["fed"] = ", ".join(sorted(fed))
    claimed = set(trial.recipe.modalities)
    if trial.recipe.model_class == trial.architecture.default_class:
        claimed |= set(trial.architecture.modalities) - set(trial.recipe.apart)
    for modality, reason in trial.recipe.apart.items():
        figures[f"{modality}.apart"] = reason
    missing = sorted(claimed - fed - {Modality.EMBEDDING})
    if not missing:
        return None
    only = " and ".join(sorted(fed)) or "nothing"
    return f"the {' and the '.join(missing)} never reached the model: only {only} was fed"


def _not_finite(trial: Trial, figures: Figures) -> str | None:
    """NaN anywhere, or infinities where the float64 reference has none."""
    outputs = trial.baseline()
    figures["outputs"] = len(outputs)
    if not outputs:
        return "the model returned no tensor"
    for name, array in floats(outputs).items():
        if np.isnan(array).any():
            return f"{name} holds NaN: {_share(np.isnan(array))} of its values"
        marks = np.isinf(array)
        if marks.any():
            # Some models mark what is masked with -inf; those marks are the reference's too.
            exact = trial.reference().get(name)
            if exact is None or not np.array_equal(marks, np.isinf(saturated(exact.array, trial.dtype))):
                return f"{name} overflows: {_share(marks)} of its values are infinite"
            if marks.all():
                return f"{name} holds nothing but infinities"
    return None


def _constant(trial: Trial, figures: Figures) -> str | None:
    """Outputs that are the same for rows of the batch that differ."""
    batch, inputs = batch_size(trial), trial.inputs
    if batch is None or batch < 2:
        return None
    data = [inputs[name] for name in carriers(trial) if isinstance(inputs[name], np.ndarray)]
    if all(array.shape[0] == batch and (array == array[:1]).all() for array in data):
        return None
    with np.errstate(invalid="ignore"):  # marks of minus infinity are the same in every row
        spreads = {
            name: relative_rms(array - array[:1], array)
            for name, array in floats(trial.baseline()).items()
            if array.ndim and array.shape[0] == batch
        }
    if not spreads:
        return None
    most = max(spreads.values())
    figures["spread_over_rows"] = most
    if most <= noise_floor(trial.dtype):
        return f"the output is the same for different inputs: its rows differ by {most:.1e} of its size"
    return None


def _deaf(trial: Trial, figures: Figures) -> str | None:
    """Data inputs whose change leaves every output as it was."""
    before, deaf = main_outputs(trial.baseline()), []
    for name, modality in carriers(trial).items():
        inputs = changed(trial, name)
        if inputs is None:
            figures[f"{name}.influence"] = None
            continue
        change, most = influence(before, trial.run(inputs), trial.dtype)
        figures[f"{name}.influence"] = change
        if change <= noise_floor(trial.dtype):
            deaf.append(f"the {modality} has no influence: with another {name}, {most} changes by {change:.1e}")
    return "; ".join(deaf) or None


def main_outputs(outputs: Mapping[str, T]) -> Mapping[str, T]:
    """The outputs that answer for the whole model: a tower's own features change even when nobody listens to them."""
    for main in _MAIN:
        if main in outputs:
            return {main: outputs[main]}
    return outputs


def _share(marks: np.ndarray) -> str:
    return f"{int(marks.sum())} of {marks.size}"
