"""A forecaster that scales its series must not care in which unit they are measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Output, Trial
from modelmuster.records import Family, Finding

FACTOR = 16.0
"""A power of two, so that the unit itself costs no rounding."""

SERIES = ("past_values", "future_values")

OBSERVED = "past_observed_mask"

SCALES = ("loc", "scale")
"""Outputs that say what the series was scaled by."""

_EMBEDDING = "value_embedding"
"""The first layer of models that are told the scale beside the scaled values."""


class SeriesScale(Question):
    """Measures the series in another unit: what is scaled stays, what is scaled back follows; then hides values."""

    name = "series_scale"
    question = "Does a series in another unit of measurement give the same forecast, in that unit?"
    families = frozenset({Family.TIME_SERIES})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models whose configuration says that they scale, or that take series of any unit by contract."""
        if not isinstance(trial.inputs.get(SERIES[0]), np.ndarray):
            return f"fed no {SERIES[0]}"
        if getattr(trial.module.config, "scaling", True) in (None, False):
            return "the configuration switches scaling off"
        if any(name.rpartition(".")[2] == "inject_scale" for name, _ in trial.module.named_modules()):
            return "adds the scale to what it reads, so that the unit matters"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance, of what goes into the first layer where it is told the scale, else of outputs."""
        figures, inputs = Figures(), trial.inputs
        larger = {name: FACTOR * value if name in SERIES else value for name, value in inputs.items()}
        with _read(trial.module) as first:
            plain = outputs(trial, inputs)
        with _read(trial.module) as second:
            scaled = outputs(trial, larger)
        if wrong := _scaled_by_unobserved(trial, figures):
            return failed(wrong, figures)
        if first:
            for index, pair in enumerate(zip(first, second, strict=True)):
                other = _features(*pair)
                figures[f"layer_input_{index}.off"] = len(other)
                if other:
                    return failed(f"in another unit, feature {other[0]} of the first layer is another number", figures)
            return passed(figures)
        for name, output in plain.items():
            if output.array.dtype.kind != "f" or name not in scaled:
                continue
            compared = [
                same(trial, {name: Output(np.asarray(factor * output.array), output.dtype)}, {name: scaled[name]})
                for factor in (1.0, FACTOR)
            ]
            figures[f"{name}.relative_rmse"] = min(size_of(found) for found in compared)
            if not any(agrees(found) for found in compared):
                return failed(f"in another unit, {off(compared[1])}", figures)
        return passed(figures) if figures else not_applicable("returns no numbers")


def _scaled_by_unobserved(trial: Trial, figures: Figures) -> str | None:
    """Values that are marked as not observed change what the series is scaled by."""
    past, mask = trial.inputs[SERIES[0]], trial.inputs.get(OBSERVED)
    if not isinstance(mask, np.ndarray):
        return None
    start = past.shape[1] - max(past.shape[1] // 4, 1)
    hidden, other = np.ones_like(mask), past.copy()
    hidden[:, start:] = 0
    other[:, start:] = FACTOR * other[:, start:] + 1
    before, after = (
        {name: output for name, output in found.items() if name in SCALES}
        for found in (
            outputs(trial, {**trial.inputs, OBSERVED: hidden}),
            outputs(trial, {**trial.inputs, OBSERVED: hidden, SERIES[0]: other}),
        )
    )
    if not before:
        return None
    compared = same(trial, before, after)
    figures["unobserved.relative_rmse"] = size_of(compared)
    return None if agrees(compared) else f"values that were not observed count for the scale: {off(compared)}"


@contextmanager
def _read(module: Any) -> Iterator[list[torch.Tensor]]:
    """What the first layers of encoder and decoder are given in here."""
    read: list[torch.Tensor] = []
    parts = [part for name, part in module.named_modules() if name.rpartition(".")[2] == _EMBEDDING]
    hooks = [part.register_forward_pre_hook(lambda _, given: read.append(given[0].detach())) for part in parts]
    try:
        yield read
    finally:
        for hook in hooks:
            hook.remove()


def _features(before: torch.Tensor, after: torch.Tensor) -> list[int]:
    """Features that are neither as they were nor moved by the logarithm of the unit, as that of the scale is."""
    slack = 1e-4 * (1 + before.abs().amax((0, 1)))
    moved = (after - before).abs().amax((0, 1)) <= slack
    logged = (after - before - math.log(FACTOR)).abs().amax((0, 1)) <= slack
    return [int(index) for index in torch.nonzero(~(moved | logged)).flatten()]
