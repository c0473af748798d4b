"""One exported graph in an ONNX Runtime session that may not fall back unseen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelmuster.contracts import Capability, Inputs, Outputs, Subject
from modelmuster.errors import CellFailure, Unavailable, Unsupported
from modelmuster.records import DeviceKind, Evidence
from modelmuster.targets.export import Artifact
from modelmuster.targets.onnxruntime import placement
from modelmuster.targets.onnxruntime.providers import Provider, device_name


class OnnxRuntimeSession:
    """Implements `contracts.Session`. The first run is profiled: that tells where each node ran."""

    def __init__(
        self, artifact: Artifact, subject: Subject, provider: Provider, *, threads: int, eight_bits: bool = False
    ) -> None:
        import onnxruntime

        if provider.name not in onnxruntime.get_available_providers():
            raise Unavailable(f"this onnxruntime is built without {provider.name}")
        self._artifact, self._subject, self._provider, self._eight_bits = artifact, subject, provider, eight_bits
        self.capabilities = frozenset({Capability.RESHAPE} if artifact.is_open else ())
        self._placement: placement.Placement | None = None
        self._profiles = tempfile.TemporaryDirectory(prefix="muster-profile-")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(self._profiles.name) / "profile")
        refusals = _refusals()
        try:
            # Without this, a provider that does not start is replaced by the CPU, and the result is the CPU's.
            self._session: Any = onnxruntime.InferenceSession(
                artifact.model, options, providers=[provider.name], enable_fallback=False
            )
        except refusals as error:
            raise Unsupported(f"ONNX Runtime on {provider.device}: {error}") from error
        started = self._session.get_providers()
        if started[0] != provider.name:
            raise Unavailable(f"asked for {provider.name}, but only {', '.join(started)} started")

    def run(self, inputs: Inputs) -> Outputs:
        """Run one forward pass and wait for it to end.

        Raises:
            Unsupported: other shapes than the graph's, or no kernel for an operator in this dtype.
            CellFailure: not one node ran on the provider that was asked for.
        """
        if self._session is None:
            raise CellFailure("this session is closed")
        fed = self._artifact.feed(self._subject, inputs)
        names = [port.name for port in self._artifact.manifest.outputs]
        try:
            returned = self._session.run(names, fed)
        except _refusals() as error:
            raise Unsupported(f"ONNX Runtime on {self._provider.device}: {error}") from error
        if self._placement is None:
            self._placement = placement.read(Path(self._session.end_profiling()), self._provider.name)
            self._profiles.cleanup()
        self._insist(self._placement)
        return self._artifact.outputs(dict(zip(names, returned, strict=True)))

    @property
    def from_cache(self) -> bool | None:
        """Whether the graph was there already."""
        return self._artifact.from_cache

    def prepared(self, inputs: Inputs) -> Callable[[], object]:
        """One run of the graph on arrays that it takes as they are."""
        session, fed = self._session, self._artifact.feed(self._subject, inputs)
        names = [port.name for port in self._artifact.manifest.outputs]
        return lambda: session.run(names, fed)

    def _insist(self, placed: placement.Placement) -> None:
        """Hold the runtime to the provider and the dtype that it was asked for."""
        if placed.total and not placed.on_target:
            raise CellFailure(
                f"asked of {self._provider.name}, but all {placed.total} nodes ran elsewhere: "
                f"{', '.join(placed.elsewhere)}"
            )
        dtype = self._artifact.manifest.dtype
        if placed.precision and placed.precision.partition("+")[0] != dtype:
            # For want of kernels, ONNX Runtime casts around most nodes.
            raise Unsupported(
                f"ONNX Runtime on {self._provider.device} computes this in {placed.precision}, not {dtype}"
            )
        if self._eight_bits and not placed.eight_bits:
            raise Unsupported(f"ONNX Runtime on {self._provider.device} made the weights of eight bits wide again")

    def evidence(self) -> Evidence:
        """Provider and precision of every node, from the profile of the first run."""
        if self._placement is None:
            raise CellFailure("nothing has run, so there is no evidence of where it would")
        return Evidence(
            device_name=device_name(self._provider),
            device_kind=DeviceKind.HARDWARE,
            precision=f"int8 weights of {self._placement.eight_bits} products in {self._placement.precision}"
            if self._eight_bits
            else self._placement.precision or "none",
            route=self._artifact.route,
            nodes_total=self._placement.total,
            nodes_on_target=self._placement.on_target,
            fallbacks=self._placement.elsewhere,
        )

    def close(self) -> None:
        """Let go of the session."""
        self._session = None
        self._profiles.cleanup()


def _refusals() -> tuple[type[Exception], ...]:
    """How ONNX Runtime says that it has no kernel."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (state.NotImplemented,)
