"""The one place that imports OpenVINO, without its telemetry, and what it finds on this machine."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

from modelmuster.contracts import Probe
from modelmuster.processor import processor
from modelmuster.records import DeviceKind
from modelmuster.targets import building

_INSTALL = "pip install 'modelmuster[openvino]'"
_NEEDS = {
    "CPU": ("an x86-64 or ARM processor", ""),
    "GPU": ("an Intel GPU with its compute runtime", "apt-get install intel-opencl-icd"),
    "NPU": ("an Intel NPU with its driver", "see https://github.com/intel/linux-npu-driver"),
}
"""What each device takes, and how to get its driver."""


def load() -> Any:
    """The module `openvino`.

    Its telemetry is shut out first: it sends an event when OpenVINO is imported and one with each conversion, and waits
    for the network where there is none. OpenVINO works without that package and then has a stub for it.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # makes its import fail
    import openvino

    return openvino


def probe(device: str) -> Probe:
    """Whether OpenVINO is installed and finds `CPU`, `GPU` or `NPU`; never raises."""
    if find_spec("openvino") is None:
        return Probe(available=False, reason="openvino is not installed", missing=("openvino",), remedy=_INSTALL)
    if found := building.lacking("openvino"):
        return found
    try:
        return _found(load(), device)
    except Exception as error:  # noqa: BLE001 - a broken installation or a driver may raise anything; it is shown
        return Probe(available=False, reason=f"openvino cannot look for {device}: {type(error).__name__}: {error}")


def device_name(core: Any, device: str) -> str:
    """The name that OpenVINO's plug-in gives the device."""
    return str(core.get_property(device, "FULL_DEVICE_NAME")).strip() or processor().name


def _found(openvino: Any, device: str) -> Probe:
    core = openvino.Core()
    version, listed = openvino.get_version(), list(core.available_devices)
    if not any(name.partition(".")[0] == device for name in listed):
        needs, remedy = _NEEDS[device]
        return Probe(
            available=False,
            reason=f"OpenVINO finds no {device}; it has {', '.join(listed) or 'no device'}",
            missing=(needs,),
            remedy=remedy,
            details={"openvino": version},
        )
    name = device_name(core, device)
    capabilities = ", ".join(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
    return Probe(
        available=True,
        reason=f"{name} through OpenVINO",
        device_name=name,
        device_kind=DeviceKind.HARDWARE,
        details={"openvino": version, "capabilities": capabilities},
    )
