"""What PyTorch finds on this machine: devices, their names, and what is missing where there is none."""

from __future__ import annotations

import os
import runpy
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelmuster.contracts import Probe
from modelmuster.processor import processor
from modelmuster.records import DeviceKind

_INSTALL = "pip install 'modelmuster[torch]'"
_CHOOSE_BUILD = "install the build of torch for this device: see https://pytorch.org/get-started/locally"
_FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"


def probe(device: str) -> Probe:
    """What there is of `cpu`, `cuda`, `mps`, `xpu` or `tpu`; imports torch where it is installed, and never raises."""
    if find_spec("torch") is None:
        return Probe(available=False, reason="torch is not installed", missing=("torch",), remedy=_INSTALL)
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken installation may raise anything; it is shown
        return Probe(
            available=False,
            reason=f"torch is installed but cannot be imported: {type(error).__name__}: {error}",
            missing=("torch",),
            remedy=_INSTALL,
        )
    try:
        return _PROBES[device](torch)
    except Exception as error:  # noqa: BLE001 - drivers raise anything when they are asked; it is shown
        return Probe(available=False, reason=f"torch cannot look for {device}: {type(error).__name__}: {error}")


def built_for_cards() -> bool:
    """Whether the installed torch is built for CUDA or ROCm, read from its own note: importing it takes a second."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return False
    note = runpy.run_path(str(Path(found.origin).with_name("version.py")))
    return note.get("cuda") is not None or note.get("hip") is not None


def device_name(device: Any) -> str:
    """The name that the driver of this `torch.device` gives it."""
    import torch

    match device.type:
        case "cuda":
            return str(torch.cuda.get_device_name(device))
        case "xpu":
            return str(torch.xpu.get_device_name(device))
        case "mps":
            return str(torch.backends.mps.get_name())
        case _:
            return processor().name


def _cpu(torch: Any) -> Probe:
    name, vector = processor().name, torch.backends.cpu.get_cpu_capability()
    return _found(torch, name, f"{name}, vector kernels {vector}", {"vector_kernels": vector})


def without_cards() -> Probe:
    """What to say of a torch that knows no card."""
    return _absent(
        "this torch is built without CUDA and without ROCm", missing="a CUDA build of torch", remedy=_CHOOSE_BUILD
    )


def _cuda(torch: Any) -> Probe:
    rocm, cuda = torch.version.hip, torch.version.cuda
    if rocm is None and cuda is None:
        return without_cards()
    platform_name, driver = ("ROCm", "AMD driver") if rocm else ("CUDA", "NVIDIA driver")
    if not torch.cuda.is_available():
        return _absent(
            f"torch is built for {platform_name} {rocm or cuda}, but no card answers", missing=driver, remedy=""
        )
    card = torch.cuda.get_device_properties(0)
    details = {
        platform_name.lower(): str(rocm or cuda),
        "architecture": getattr(card, "gcnArchName", "") if rocm else f"sm_{card.major}{card.minor}",
        "memory_bytes": str(card.total_memory),
        "cards": str(torch.cuda.device_count()),
    }
    return _found(torch, card.name, f"{card.name} through {platform_name} {rocm or cuda}", details)


def _mps(torch: Any) -> Probe:
    if not torch.backends.mps.is_built():
        return _absent("this torch is built without Metal", missing="macOS on Apple silicon", remedy="")
    if not torch.backends.mps.is_available():
        return _absent("torch is built for Metal, but no device answers", missing="macOS 14 or newer", remedy="")
    if os.environ.get(_FALLBACK) == "1":
        # Operators would run on the CPU, and no call of torch tells afterwards which.
        return _absent(f"{_FALLBACK}=1 lets operators run on the CPU unseen", missing="", remedy=f"unset {_FALLBACK}")
    name = torch.backends.mps.get_name()
    return _found(torch, name, f"{name} through Metal", {"gpu_cores": str(torch.backends.mps.get_core_count())})


def _xpu(torch: Any) -> Probe:
    if not torch.xpu._is_compiled():  # noqa: SLF001 - there is no public question for it
        return _absent("this torch is built without Intel GPUs", missing="an XPU build of torch", remedy=_CHOOSE_BUILD)
    if not torch.xpu.is_available():
        return _absent("torch is built for Intel GPUs, but none answers", missing="Intel GPU driver", remedy="")
    card = torch.xpu.get_device_properties(0)
    details = {"driver": str(card.driver_version), "memory_bytes": str(card.total_memory)}
    return _found(torch, card.name, f"{card.name} through SYCL", details)


def _tpu(_torch: Any) -> Probe:
    if find_spec("torch_xla") is None:
        return _absent(
            "torch_xla is not installed", missing="torch_xla", remedy="on a TPU machine: pip install torch_xla"
        )
    from torch_xla import runtime

    kind = runtime.device_type() or "no device"
    if kind != "TPU":
        return _absent(f"torch_xla finds {kind}, not a TPU", missing="a TPU", remedy="")
    # Named, and no more: nothing here has ever run on one, and what never ran must not look as if it could.
    return _absent("torch_xla finds a TPU, but models cannot be brought to it yet", missing="", remedy="")


def _found(torch: Any, name: str, reason: str, details: dict[str, str]) -> Probe:
    return Probe(
        available=True,
        reason=reason,
        device_name=name,
        device_kind=DeviceKind.HARDWARE,
        details={"torch": str(torch.__version__), **details},
    )


def _absent(reason: str, *, missing: str, remedy: str) -> Probe:
    details = {"torch": metadata.version("torch")}
    return Probe(available=False, reason=reason, missing=(missing,) if missing else (), remedy=remedy, details=details)


_PROBES = {"cpu": _cpu, "cuda": _cuda, "mps": _mps, "xpu": _xpu, "tpu": _tpu}
