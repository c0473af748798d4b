"""A built PyTorch model with its inputs: what recipes give and targets open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.contracts import Inputs, Outputs
from modelmuster.records import Architecture, Recipe


@dataclass(frozen=True, slots=True)
class TorchSubject:
    """Implements `contracts.Subject`."""

    architecture: Architecture
    recipe: Recipe
    inputs: Inputs
    module: Any
    """In eval mode, float32, on the CPU; never changed by whoever borrows it."""

    def reference(self, inputs: Inputs) -> Outputs:
        """Run in true float64 on the CPU: casts to float32 inside modelling code are raised too.

        Raises:
            ReferenceUnstable: two runs differ, so that no target can be judged by them.
        """
        from modelmuster.numerics.reference import run_float64

        return run_float64(self.module, inputs)

    def rounding(self, inputs: Inputs, dtype: str) -> Mapping[str, float]:
        """Root-mean-square error, by output, that arithmetic in `dtype` alone causes; independent of any target."""
        from modelmuster.numerics.rounding import estimate

        return estimate(self.module, inputs, dtype)
