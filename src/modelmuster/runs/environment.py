"""The machine and software that a run uses, found without importing any of it."""

from __future__ import annotations

import functools
import os
import platform
import socket
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from modelmuster.contracts import Probe
from modelmuster.processor import processor
from modelmuster.records import Environment, Package

PACKAGES = (
    "modelmuster",
    "torch",
    "transformers",
    "numpy",
    "safetensors",
    "tokenizers",
    "timm",
    "torchvision",
    "torchaudio",
    "sentencepiece",
    "pillow",
    "scipy",
    "onnx",
    "onnxruntime",
    "openvino",
    "optimum",
    "accelerate",
    "playwright",
    "psutil",
    "msgspec",
    "duckdb",
)
"""Distributions whose version can change a result; those that are missing are recorded as missing."""

_PLUGIN_GROUPS = ("modelmuster.targets", "modelmuster.checks", "modelmuster.executors")


def capture(probes: Mapping[str, Probe] | None = None) -> Environment:
    """The environment as it is now.

    Args:
        probes: What the targets found, by target name; gives the devices' names.
    """
    import psutil

    available = {name: probe for name, probe in (probes or {}).items() if probe.available}
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=processor().name,
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        packages=tuple(Package(name=name, version=_version(name)) for name in (*PACKAGES, *_plugin_distributions())),
        devices={name: probe.device_name or probe.reason for name, probe in available.items()},
        commit=git_commit(Path.cwd()),
        hostname=socket.gethostname(),
    )


def software(environment: Environment) -> dict[str, str | None]:
    """Versions of Python and of every package that can change a result."""
    return {"python": environment.python, **{entry.name: entry.version for entry in environment.packages}}


def differences(old: Mapping[str, str | None], new: Mapping[str, str | None]) -> list[str]:
    """What differs between two sets of versions, such as `torch 2.12.0 → 2.13.0`."""
    names = [*old, *(name for name in new if name not in old)]
    return [
        f"{name} {old.get(name) or 'missing'} → {new.get(name) or 'missing'}"
        for name in names
        if old.get(name) != new.get(name)
    ]


@functools.cache
def usable_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its control group where that is smaller."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out in the folder, with `+` where files differ from it; None outside a repository."""
    commit = _output("git", "-C", str(folder), "rev-parse", "HEAD")
    if not commit:
        return None
    changed = _output("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if changed else commit


def _output(*command: str) -> str:
    """What a short command prints; empty where it is missing, fails or takes longer than 10 s."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _plugin_distributions() -> list[str]:
    """Third-party distributions that bring targets, checks or executors."""
    found = {
        point.dist.name
        for group in _PLUGIN_GROUPS
        for point in metadata.entry_points(group=group)
        if point.dist is not None
    }
    return sorted(found - set(PACKAGES))
