"""A model that writes into what it was given spoils the caller's next call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import call_seeded
from modelmuster.records import Finding, Stage


class InputsUnmodified(Question):
    """Compares every input tensor before and after a forward pass."""

    name = "inputs_unmodified"
    question = "Does a forward pass leave the tensors that it was given as they were?"
    needs = frozenset({Capability.MODULE})

    def run(self, trial: Trial) -> Finding:
        """Bitwise."""
        given = arguments(trial, trial.inputs)
        before = {path: tensor.clone() for path, tensor in _tensors(given)}
        trial.entering(Stage.RUN)
        call_seeded(trial.module, given)
        trial.entering(Stage.COMPARE)
        spoiled = [path for path, tensor in _tensors(given) if not _same(tensor, before.get(path))]
        figures: Figures = {"inputs": len(before), "modified": ", ".join(spoiled)}
        return failed(f"the forward pass wrote into {', '.join(spoiled)}", figures) if spoiled else passed(figures)


def _same(tensor: torch.Tensor, before: torch.Tensor | None) -> bool:
    return before is not None and tensor.shape == before.shape and bool(torch.equal(tensor, before))


def _tensors(given: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in given.items():
        if isinstance(value, torch.Tensor):
            yield name, value
        elif isinstance(value, list | tuple):
            yield from _tensors({f"{name}.{index}": member for index, member in enumerate(value)})
