"""The targets `onnxruntime:<device>`, one for each execution provider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from modelmuster.contracts import Probe, Subject
from modelmuster.records import Inference, Stage
from modelmuster.targets import offers
from modelmuster.targets.onnxruntime import providers
from modelmuster.targets.onnxruntime.session import OnnxRuntimeSession


class OnnxRuntimeCpu:
    """`onnxruntime:cpu`."""

    name = "onnxruntime:cpu"
    provider = providers.CPU
    inference = Inference.REAL
    dtypes: tuple[str, ...] = ("float32", "float16", "int8")
    start_method: Literal["fork", "spawn"] = "fork"
    resources: frozenset[str] = frozenset()
    # onnxruntime itself starts a thread when it is imported, which a fork would not survive.
    preload: tuple[str, ...] = ("torch", "transformers", "modelmuster.targets.export.preload")

    cache_dir: Path | None = None
    open_axes = False

    def probe(self) -> Probe:
        """The provider's device, or what is missing."""
        return providers.probe(self.provider)

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> OnnxRuntimeSession:
        """Export the subject, or take its export from the cache, and load it on the provider.

        Raises:
            Unsupported: a dtype that this provider is not asked for, or an operator without a kernel.
            Unavailable: ONNX Runtime, the provider or a package for the export is not there.
            ExportFailed: the model cannot be converted.
        """
        offers.require(self, dtype)
        from modelmuster.targets.export import exported

        artifact = exported(subject, dtype, entering, self.cache_dir, open_axes=self.open_axes)
        import torch

        entering(Stage.LOAD)
        threads = torch.get_num_threads()
        return OnnxRuntimeSession(artifact, subject, self.provider, threads=threads, eight_bits=dtype == "int8")


class OnnxRuntimeCpuOpen(OnnxRuntimeCpu):
    """`onnxruntime:cpu-open`: one graph for inputs of every size, which its checks then run it at."""

    name = "onnxruntime:cpu-open"
    open_axes = True
    on_request: Literal[True] = True


class _Accelerated(OnnxRuntimeCpu):
    """A provider with a device of its own; its cells are spawned, since no driver promises to survive a fork."""

    start_method: Literal["fork", "spawn"] = "spawn"


class OnnxRuntimeCuda(_Accelerated):
    """`onnxruntime:cuda`."""

    name = "onnxruntime:cuda"
    provider = providers.CUDA
    resources = frozenset({"cuda"})


class OnnxRuntimeOpenVino(_Accelerated):
    """`onnxruntime:openvino`: OpenVINO inside ONNX Runtime; `openvino:*` reads the same graph without it."""

    name = "onnxruntime:openvino"
    provider = providers.OPENVINO


class OnnxRuntimeDirectMl(_Accelerated):
    """`onnxruntime:directml`."""

    name = "onnxruntime:directml"
    provider = providers.DIRECTML
    resources = frozenset({"gpu"})


class OnnxRuntimeCoreMl(_Accelerated):
    """`onnxruntime:coreml`."""

    name = "onnxruntime:coreml"
    provider = providers.COREML
    resources = frozenset({"mps"})


class OnnxRuntimeQnn(_Accelerated):
    """`onnxruntime:qnn`."""

    name = "onnxruntime:qnn"
    provider = providers.QNN
    resources = frozenset({"npu"})


class OnnxRuntimeWebGpu(_Accelerated):
    """`onnxruntime:webgpu`: Dawn inside the process; browsers are targets of their own."""

    name = "onnxruntime:webgpu"
    provider = providers.WEBGPU
    resources = frozenset({"gpu"})
