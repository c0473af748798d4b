"""What a page says of the device that did the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from modelmuster.processor import processor
from modelmuster.records import DeviceKind

Runtime: TypeAlias = Literal["wasm", "webgpu", "webnn"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A way in which onnxruntime-web computes."""

    runtime: Runtime
    label: str
    """The runtime's own name for it, in its log."""
    option: str | Mapping[str, str]
    """How it is asked for."""
    least_share: float
    """The part of the nodes that must be on it: with less, a result says nothing of the device."""
    work: str | None
    """The counter of the page that must rise with every run; None where there is none."""


WASM = Provider("wasm", "CPU", "wasm", 1.0, None)
WEBGPU = Provider("webgpu", "WebGpu", "webgpu", 0.8, "dispatches")
WEBNN = Provider("webnn", "WebNN", {"name": "webnn", "deviceType": "cpu"}, 0.8, "graphDispatches")
"""Asked for the CPU, which every backend has. The share for both leaves room for operators on shapes and indices, which
belong on the CPU, and for no block of a model."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device by the name that it is shown with."""

    name: str
    kind: DeviceKind


def device(provider: Provider, seen: Mapping[str, Any], version: str) -> Device:
    """The device behind a provider.

    Args:
        provider: what was asked for.
        seen: what the function `seen` of the page has told.
        version: name and version of the browser.
    """
    match provider.runtime:
        case "wasm":
            return Device(f"{processor().name}, WebAssembly in {version}", DeviceKind.HARDWARE)
        case "webgpu":
            adapter = seen["adapters"][-1]
            return Device(f"{adapter_name(adapter)}, WebGPU in {version}", adapter_kind(adapter))
        case "webnn":
            # What was asked for is no evidence, and a backend that says nothing may be the processor in disguise.
            hardware = seen["accelerated"][-1:] == [True]
            kind = DeviceKind.HARDWARE if hardware else DeviceKind.SOFTWARE_EMULATED
            return Device(f"WebNN in {version}, asked for cpu", kind)


def adapter_name(adapter: Mapping[str, Any]) -> str:
    """What the browser calls an adapter."""
    known = [str(adapter[key]) for key in ("vendor", "architecture") if adapter.get(key)]
    return str(adapter.get("description") or " ".join(known) or "an adapter that has no name")


def adapter_kind(adapter: Mapping[str, Any]) -> DeviceKind:
    """Whether an adapter is a GPU, or software that imitates one."""
    software = adapter.get("isFallback") or adapter.get("type") == "CPU" or adapter.get("architecture") == "swiftshader"
    return DeviceKind.SOFTWARE_EMULATED if software else DeviceKind.HARDWARE
