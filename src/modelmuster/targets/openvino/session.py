"""One exported graph compiled by OpenVINO for one device, in the precision that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modelmuster.contracts import Capability, Inputs, Outputs, Subject
from modelmuster.errors import CellFailure
from modelmuster.records import DeviceKind, Evidence
from modelmuster.targets.export import Artifact
from modelmuster.targets.openvino import precision, runtime


class OpenVinoSession:
    """Implements `contracts.Session`."""

    def __init__(
        self, artifact: Artifact, subject: Subject, core: Any, compiled: Any, device: str, *, eight_bits: bool = False
    ) -> None:
        self._artifact, self._subject, self._core, self._device = artifact, subject, core, device
        self._compiled: Any = compiled
        self._eight_bits = eight_bits
        self.capabilities = frozenset({Capability.RESHAPE} if artifact.is_open else ())
        self._request: Any = compiled.create_infer_request()
        self._ran = False

    def run(self, inputs: Inputs) -> Outputs:
        """Run one forward pass and wait for it to end.

        Raises:
            Unsupported: other shapes than the graph's.
        """
        if self._request is None:
            raise CellFailure("this session is closed")
        fed = self._artifact.feed(self._subject, inputs)
        self._request.infer(fed)
        self._ran = True
        # Copied: the next run writes into the same memory.
        returned = {
            port.name: np.array(self._request.get_tensor(port.name).data) for port in self._artifact.manifest.outputs
        }
        return self._artifact.outputs(returned)

    @property
    def from_cache(self) -> bool | None:
        """Whether the graph was there already."""
        return self._artifact.from_cache

    def prepared(self, inputs: Inputs) -> Callable[[], object]:
        """One inference on arrays that the graph takes as they are; results stay where OpenVINO puts them."""
        request, fed = self._request, self._artifact.feed(self._subject, inputs)
        return lambda: request.infer(fed)

    def evidence(self) -> Evidence:
        """Devices and precisions that the compiled model reports, layer by layer."""
        if not self._ran or self._compiled is None:
            raise CellFailure("nothing has run, so there is no evidence of where it would")
        layers = precision.layers(self._compiled)
        devices = [str(name) for name in self._compiled.get_property("EXECUTION_DEVICES")]
        strays = tuple(name for name in devices if name.partition(".")[0] != self._device)
        return Evidence(
            device_name=", ".join(runtime.device_name(self._core, name) for name in devices),
            device_kind=DeviceKind.HARDWARE,
            precision=f"int8 weights of {layers.eight_bits} products in {layers.precision}"
            if self._eight_bits
            else layers.precision or "none",
            route=self._artifact.route,
            nodes_total=layers.total,
            nodes_on_target=None if strays else layers.total,
            fallbacks=strays,
        )

    def close(self) -> None:
        """Let go of the compiled model."""
        self._request = self._compiled = None
