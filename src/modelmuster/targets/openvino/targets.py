"""The targets `openvino:<device>`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from modelmuster.contracts import Probe, Subject
from modelmuster.errors import Unsupported
from modelmuster.records import Inference, Stage
from modelmuster.targets import offers
from modelmuster.targets.openvino import precision, runtime
from modelmuster.targets.openvino.session import OpenVinoSession


class OpenVinoCpu:
    """`openvino:cpu`."""

    name = "openvino:cpu"
    device = "CPU"
    inference = Inference.REAL
    dtypes: tuple[str, ...] = ("float32", "bfloat16", "float16", "int8")
    start_method: Literal["fork", "spawn"] = "fork"
    resources: frozenset[str] = frozenset()
    preload: tuple[str, ...] = (
        "torch",
        "transformers",
        "modelmuster.targets.export.preload",
        "modelmuster.targets.openvino.preload",
    )

    cache_dir: Path | None = None
    open_axes = False

    def probe(self) -> Probe:
        """The device that OpenVINO finds, or what is missing."""
        return runtime.probe(self.device)

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> OpenVinoSession:
        """Read the subject's export and compile it for the device, in this very precision.

        Raises:
            Unsupported: a dtype that the device does not compute in, or an operator that OpenVINO does not know.
            Unavailable: OpenVINO, the device or a package for the export is not there.
            ExportFailed: the model cannot be converted.
        """
        found = offers.require(self, dtype)
        core = runtime.load().Core()
        if not precision.offers(core, self.device, dtype):
            raise Unsupported(f"{found.device_name} does not compute in {dtype}")
        from modelmuster.targets.export import exported

        # Narrow arithmetic is the plug-in's to choose layer by layer; the graph is the same for all of it.
        eight_bits = dtype == "int8"
        wanted = "int8" if eight_bits else "float32"
        artifact = exported(subject, wanted, entering, self.cache_dir, open_axes=self.open_axes)
        entering(Stage.LOAD)
        model = core.read_model(artifact.model)
        entering(Stage.COMPILE)
        compiled = core.compile_model(model, self.device, self.settings(dtype))
        precision.insist(compiled, dtype)
        return OpenVinoSession(artifact, subject, core, compiled, self.device, eight_bits=eight_bits)

    def settings(self, dtype: str) -> dict[str, Any]:
        """What the device's plug-in is told. Without the hint it may compute in bfloat16 when float32 is asked for."""
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision.HINTS[dtype]}
        if self.device == "CPU":
            import torch

            settings |= {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "NUM_STREAMS": 1}
        return settings


class OpenVinoCpuOpen(OpenVinoCpu):
    """`openvino:cpu-open`: one graph for inputs of every size, which its checks then run it at."""

    name = "openvino:cpu-open"
    open_axes = True
    on_request: Literal[True] = True


class OpenVinoGpu(OpenVinoCpu):
    """`openvino:gpu`: Intel GPUs."""

    name = "openvino:gpu"
    device = "GPU"
    dtypes = ("float32", "float16")
    start_method: Literal["fork", "spawn"] = "spawn"
    resources = frozenset({"gpu"})


class OpenVinoNpu(OpenVinoCpu):
    """`openvino:npu`: Intel NPUs; they compute in float16, and refuse float32 themselves."""

    name = "openvino:npu"
    device = "NPU"
    dtypes = ("float32", "float16")
    start_method: Literal["fork", "spawn"] = "spawn"
    resources = frozenset({"npu"})
