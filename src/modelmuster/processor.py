"""The CPU of this machine, read from the operating system without importing anything heavy."""

from __future__ import annotations

import functools
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_VECTORS = ("sse4_2", "avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "neon", "asimd", "sve")
"""Extensions that kernels of runtimes ask for, in the kernel's spelling."""
_AMX = ("amx_tile", "amx_int8", "amx_bf16", "amx_fp16")


@dataclass(frozen=True, slots=True)
class Processor:
    """What decides how fast, and in which precision, runtimes compute here."""

    name: str
    vectors: tuple[str, ...]
    """Vector extensions; empty where the system does not tell."""
    amx: tuple[str, ...]
    """Matrix extensions of Intel processors."""
    virtualised: bool | None
    """Whether a hypervisor shares it out, so that clocks and caches are not this machine's alone; None if unknown."""


@functools.cache
def processor() -> Processor:
    """The processor; one look at `/proc/cpuinfo` on Linux, sysctl on macOS."""
    if sys.platform == "darwin":
        name = _sysctl("machdep.cpu.brand_string") or platform.machine()
        vectors = tuple(_sysctl("machdep.cpu.leaf7_features").lower().split()) or (("neon",) if "Apple" in name else ())
        return Processor(name, vectors, (), _sysctl("kern.hv_vmm_present") == "1")
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return Processor(platform.processor() or platform.machine(), (), (), None)
    first = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    flags = set((first.get("flags") or first.get("Features") or "").split())
    return Processor(
        first.get("model name") or platform.machine(),
        tuple(name for name in _VECTORS if name in flags),
        tuple(name for name in _AMX if name in flags),
        "hypervisor" in flags if "flags" in first else None,
    )


def _sysctl(key: str) -> str:
    try:
        done = subprocess.run(["sysctl", "-n", key], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
