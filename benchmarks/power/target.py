"""A target for each fault: `torch:cpu`, run in a process whose transformers has the fault in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.power import editing, fault
from modelmuster.contracts import Subject
from modelmuster.records import Architecture, Cell, Stage
from modelmuster.targets.torch_eager import TorchCpu

_PREFIX = "fault_"


class FaultyCpu(TorchCpu):
    """`torch:cpu` with a fault. Brings no subject: the model is built by its recipe, by the faulty library."""

    def __init__(self, made: fault.Fault) -> None:
        self.fault = made
        self.name = made.target

    def subject(
        self,
        cell: Cell,  # noqa: ARG002 - the fault knows its architecture
        architecture: Architecture | None,
        entering: Callable[[Stage], None],
    ) -> Subject | None:
        """Put the fault in, before anything is built."""
        entering(Stage.BUILD)
        assert architecture is not None
        package = architecture.module
        for edit in self.fault.edits:
            editing.apply(edit, f"{package}.modeling_{package.rpartition('.')[2]}")
        return None


def attribute(index: int) -> str:
    """The name under which the fault's target is found in this module."""
    return f"{_PREFIX}{index}"


def __getattr__(name: str) -> Any:
    if not name.startswith(_PREFIX):
        raise AttributeError(name)
    return FaultyCpu(fault.load()[int(name.removeprefix(_PREFIX))])
