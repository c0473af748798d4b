"""What the installed ONNX Runtime can run on: its providers, their devices, and what is missing where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from modelmuster.contracts import Probe
from modelmuster.processor import processor
from modelmuster.records import DeviceKind
from modelmuster.targets import building

_INSTALL = "pip install 'modelmuster[onnx]'"


@dataclass(frozen=True, slots=True)
class Provider:
    """An execution provider, by the name that targets give it."""

    device: str
    """The second half of the target's name."""
    name: str
    """ONNX Runtime's own."""
    wheel: str
    """The distribution that has it; each of them replaces the others, so each needs an environment of its own."""
    needs: str
    """The hardware or system."""


CPU = Provider("cpu", "CPUExecutionProvider", "onnxruntime", "any processor")
CUDA = Provider("cuda", "CUDAExecutionProvider", "onnxruntime-gpu", "an NVIDIA card")
OPENVINO = Provider("openvino", "OpenVINOExecutionProvider", "onnxruntime-openvino", "an Intel processor or GPU")
DIRECTML = Provider("directml", "DmlExecutionProvider", "onnxruntime-directml", "Windows with a DirectX 12 GPU")
COREML = Provider("coreml", "CoreMLExecutionProvider", "onnxruntime", "macOS")
QNN = Provider("qnn", "QNNExecutionProvider", "onnxruntime-qnn", "a Qualcomm NPU")
WEBGPU = Provider("webgpu", "WebGpuExecutionProvider", "onnxruntime-webgpu", "a GPU with Vulkan, Metal or Direct3D 12")


def probe(provider: Provider) -> Probe:
    """Whether the installed ONNX Runtime has this provider and a device for it; never raises."""
    if find_spec("onnxruntime") is None:
        return Probe(available=False, reason="onnxruntime is not installed", missing=("onnxruntime",), remedy=_INSTALL)
    if found := building.lacking("onnxruntime"):
        return found
    try:
        import onnxruntime

        return _found(onnxruntime, provider)
    except Exception as error:  # noqa: BLE001 - a broken installation or a driver may raise anything; it is shown
        return Probe(available=False, reason=f"onnxruntime cannot look: {type(error).__name__}: {error}")


def device_name(provider: Provider) -> str:
    """The device that the provider uses, as far as ONNX Runtime tells."""
    import onnxruntime

    if provider is CPU:
        return processor().name
    listed = onnxruntime.get_ep_devices() if hasattr(onnxruntime, "get_ep_devices") else ()
    named = [
        str(entry.device.metadata.get("Description") or f"{entry.device.vendor} {entry.device.type.name}")
        for entry in listed
        if entry.ep_name == provider.name
    ]
    return ", ".join(dict.fromkeys(named)) or provider.name.removesuffix("ExecutionProvider")


def _found(onnxruntime: Any, provider: Provider) -> Probe:
    details = {"onnxruntime": str(onnxruntime.__version__), "provider": provider.name}
    present = onnxruntime.get_available_providers()
    if provider.name not in present:
        return Probe(
            available=False,
            reason=f"this onnxruntime is built without {provider.name}; it has {', '.join(present)}",
            missing=(provider.wheel, provider.needs),
            remedy=f"with {provider.needs}, in an environment of its own: pip install {provider.wheel}",
            details=details,
        )
    if refusal := "" if provider is CPU else _refusal(onnxruntime, provider):
        return Probe(available=False, reason=refusal, missing=(provider.needs,), details=details)
    name = device_name(provider)
    return Probe(
        available=True,
        reason=f"{name} through {provider.name}",
        device_name=name,
        device_kind=DeviceKind.HARDWARE,
        details=details,
    )


def _refusal(onnxruntime: Any, provider: Provider) -> str:
    """Why no session starts on the provider: that it is built in proves no device."""
    import onnx

    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    twice = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    answer = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([twice], "probe", [value], [answer])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=[provider.name], enable_fallback=False
        )
    except Exception as error:  # noqa: BLE001 - drivers raise anything; it is shown
        return f"{provider.name} does not start: {error}"
    started = session.get_providers()
    return "" if provider.name in started else f"{provider.name} does not start; only {', '.join(started)} did"
