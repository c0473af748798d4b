"""Segments: a model that takes token types must tell them apart."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Trial
from modelmuster.records import Finding

NAME = "token_type_ids"


class TokenTypes(Question):
    """Puts everything into the first segment; swapping two would leave relative ones as they were."""

    name = "token_types"
    question = "Do token types have an influence on the answers?"

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed types of both values."""
        types = trial.inputs.get(NAME)
        if not isinstance(types, np.ndarray) or types.min() == types.max():
            return "fed no token types of different values"
        return None

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule."""
        types = trial.inputs[NAME]
        change, most = influence(
            trial.baseline(), trial.run({**trial.inputs, NAME: np.full_like(types, types.min())}), trial.dtype
        )
        figures = {"influence": change}
        if change <= noise_floor(trial.dtype):
            return failed(f"with one segment instead of two, {most} changes by {change:.1e} only", figures)
        return passed(figures)
