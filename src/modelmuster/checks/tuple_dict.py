"""transformers returns a named output or a plain tuple; both hold the same tensors in the same order."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.live import call
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding


class TupleDict(Question):
    """Asks for a tuple and compares it with the named output."""

    name = "tuple_dict"
    question = "Does the model return the same tensors as a tuple as it does by name?"
    needs = frozenset({Capability.MODULE})

    def run(self, trial: Trial) -> Finding:
        """Bitwise."""
        named = call(trial, trial.inputs)
        if not hasattr(named, "to_tuple"):
            return not_applicable(f"returns a {type(named).__name__}, not a named output")
        plain = call(trial, trial.inputs, return_dict=False)
        if not isinstance(plain, tuple):
            return failed(f"asked for a tuple, it returns a {type(plain).__name__}", {})
        expected, got = list(flatten(named.to_tuple()).values()), list(flatten(plain).values())
        figures = {"by_name": len(expected), "in_tuple": len(got)}
        if len(expected) != len(got):
            return failed(f"{len(expected)} tensors by name, but {len(got)} in the tuple", figures)
        for index, (first, second) in enumerate(zip(expected, got, strict=True)):
            both_nan = first.array.dtype.kind in "fc"
            if not np.array_equal(first.array, second.array, equal_nan=both_nan):
                return failed(f"tensor {index} of the tuple is not the one returned by name", figures)
        return passed(figures)
