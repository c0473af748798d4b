"""How much memory a process and a device hold at their peak."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path
from typing import Any

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

LINUX = (
    "VmHWM of the process, reset before the passes; shared pages count whole, pages of files that were read once stay "
    "counted, and freed memory that the allocator keeps is not told from memory in use"
)
ELSEWHERE = "the system gives no peak that can be reset, so none is told"
TORCH_DEVICE = "; on the device, the most that torch's own allocator held, without the driver's context"
NO_DEVICE = "; nothing tells what a device holds"


def resident_bytes() -> int | None:
    """Memory of this process that is in RAM now; None where the system does not tell."""
    return _status("VmRSS")


def settle() -> None:
    """Give back what nobody refers to any more, so that it does not count."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def forget_peak() -> bool:
    """Let the peak of this process begin anew; whether that is possible here."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def peak_bytes() -> int | None:
    """Most resident memory since `forget_peak`."""
    return _status("VmHWM")


def forget_device_peak(device: str) -> None:
    """Let the peak of torch's allocator on that device begin anew."""
    if device in {"cuda", "xpu"} and (torch := sys.modules.get("torch")) is not None:
        _allocator(torch, device).reset_peak_memory_stats()


def device_peak_bytes(device: str) -> int | None:
    """Most that torch's allocator held on that device; None where another one is at work, or none tells its peak."""
    if device not in {"cuda", "xpu"} or (torch := sys.modules.get("torch")) is None:
        return None
    # Nothing at all means that the runtime has an allocator of its own, not that it needs no memory.
    return int(_allocator(torch, device).max_memory_allocated()) or None


def _allocator(torch: Any, device: str) -> Any:
    return getattr(torch, device)


def _status(field: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    return None
