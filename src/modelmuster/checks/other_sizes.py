"""A graph with open axes says that it takes other sizes; only a run at one proves it."""

from __future__ import annotations

from typing import Any

from modelmuster.checks.question import Question
from modelmuster.checks.reference import by_reference
from modelmuster.contracts import Capability, Inputs, Trial
from modelmuster.errors import CannotReshape
from modelmuster.records import Finding

ROWS, TOKENS = 1, 4
"""How many more of them."""


class OtherSizes(Question):
    """Runs the recipe's inputs with a row and, where they are plain text, four tokens more."""

    name = "other_sizes"
    question = "Does one exported graph give right numbers for another batch size and length?"
    needs = frozenset({Capability.RESHAPE})

    def applies(self, trial: Trial) -> str | None:
        """Exported graphs; a PyTorch module is asked by the checks of rows and padding."""
        if Capability.MODULE in trial.capabilities:
            return "asked of exported graphs"
        return None if larger(trial.inputs) is not None else "its inputs have no rows or tokens that could be more"

    def run(self, trial: Trial) -> Finding:
        """The rule itself, at the other size; an axis that the exporter has pinned is said by the runtime."""
        inputs = larger(trial.inputs)
        assert inputs is not None
        return by_reference(trial, inputs)


def larger(inputs: Inputs) -> dict[str, Any] | None:
    """The inputs with more rows and tokens, as far as they have such; None where they have neither."""
    from modelmuster.recipes.reshaping import resized, rows

    batch = rows(inputs)
    ids = inputs.get("input_ids")
    tokens = ids.shape[1] + TOKENS if ids is not None and getattr(ids, "ndim", 0) == 2 else None
    for sequence, more in ((tokens, batch), (None, batch), (tokens, None)):
        try:
            if sequence is not None or more is not None:
                return resized(inputs, batch=more and more + ROWS, sequence=sequence)
        except CannotReshape:
            continue
    return None
