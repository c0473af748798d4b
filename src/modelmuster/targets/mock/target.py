"""The target `mock`: opens a function where others open a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from modelmuster.contracts import Capability, Inputs, Outputs, Probe, Subject
from modelmuster.errors import CellFailure, Unsupported
from modelmuster.records import Architecture, Cell, DeviceKind, Evidence, Inference, Stage
from modelmuster.targets.mock import breaks
from modelmuster.targets.mock.subject import MockSubject, make, outputs

DEVICE = f"none: NumPy {np.__version__} computes a function in place of a model"


class MockSession:
    """Computes the function of a subject, with whatever is broken about it."""

    capabilities = frozenset({Capability.RESHAPE})

    def __init__(self, subject: MockSubject, dtype: str) -> None:
        self._broken, self._dtype = subject.broken, dtype
        computed = "float16" if "precision" in subject.broken and dtype == "float32" else dtype
        self._network = subject.network(computed, subject.broken, steps=True)
        self._ran = self._closed = False

    def run(self, inputs: Inputs) -> Outputs:
        """One call of the function."""
        if self._closed:
            raise CellFailure("the session is closed")
        arrays = self._network(inputs)
        if "numbers" in self._broken:
            arrays = {name: array * np.float32(1.1) for name, array in arrays.items()}
        if "finite" in self._broken:
            next(iter(arrays.values())).flat[0] = np.nan
        if "shape" in self._broken:
            arrays = {name: array[:-1] for name, array in arrays.items()}
        self._ran = True
        return outputs(arrays, self._dtype)

    def evidence(self) -> Evidence:
        """That no device had a part in it."""
        if not self._ran:
            raise CellFailure("nothing has run yet")
        broken = ", ".join(sorted(self._broken))
        return Evidence(
            device_name=DEVICE,
            device_kind=DeviceKind.SOFTWARE_EMULATED,
            precision=self._dtype,
            route=f"mock, told to break: {broken}" if broken else "mock",
        )

    def close(self) -> None:
        """Nothing is held."""
        self._closed = True


class Mock:
    """Runs everywhere, tests no model. `$MUSTER_MOCK_BREAK` names properties for it to break."""

    name = "mock"
    inference = Inference.MOCK
    dtypes = ("float32", "bfloat16", "float16")
    start_method: Literal["fork", "spawn"] = "fork"
    resources: frozenset[str] = frozenset()
    preload = ("modelmuster.checks.*",)

    def __init__(self, broken: frozenset[str] | None = None) -> None:
        """Read what is to be broken.

        Raises:
            UnknownName: the environment names a property that there is not.
        """
        self.broken = breaks.asked() if broken is None else broken

    def probe(self) -> Probe:
        """It is always there."""
        reason = "needs neither torch nor transformers; runs no model and proves nothing about any"
        return Probe(available=True, reason=reason)

    def subject(self, cell: Cell, architecture: Architecture | None, entering: Callable[[Stage], None]) -> Subject:
        """A function in place of the cell's model.

        Raises:
            Unsupported: the catalogue has no such architecture, so that nobody knows what it would have to honour.
        """
        entering(Stage.INPUTS)
        if architecture is None:
            raise Unsupported(f"the catalogue has no architecture {cell.model_type}")
        return make(architecture, cell, self.broken)

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> MockSession:
        """The function in this dtype.

        Raises:
            Unsupported: the subject is a real model, or the dtype is none of the mock's.
        """
        entering(Stage.LOAD)
        if dtype not in self.dtypes:
            raise Unsupported(f"{self.name} offers {', '.join(self.dtypes)}, not {dtype}")
        if not isinstance(subject, MockSubject):
            raise Unsupported("the mock runtime runs no model, only functions of its own")
        return MockSession(subject, dtype)
