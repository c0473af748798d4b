"""How quiet the machine is: what others do on its processors and cards, and how much a fixed piece of work wavers."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from importlib.util import find_spec

import psutil

from modelmuster.measure import statistics
from modelmuster.measure.latency import timed_ms

_FLOOR_PASSES = 200
_FLOOR_BYTES = bytes(1 << 20)
"""A megabyte is hashed in about a millisecond, in C, on one core, without memory being asked for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What others did on the usable cores while something was measured."""

    others_cores: float
    """Cores that were busy with other processes, on average."""
    stolen: float
    """Share of the cores' time that the hypervisor gave to others."""


class Watch:
    """Looks at the processors' own accounts when it is made, and again when it is asked."""

    def __init__(self) -> None:
        self._began = _account()

    def stretch(self) -> Stretch:
        """Everything since the watch was made."""
        then, now = self._began, _account()
        elapsed = max(now.at - then.at, 1e-9)
        others = (now.busy_s - then.busy_s) - (now.own_s - then.own_s)
        share = (now.stolen_s - then.stolen_s) / (elapsed * now.cores)
        return Stretch(max(0.0, others / elapsed), min(1.0, max(0.0, share)))


def others_cores(seconds: float) -> float:
    """How many cores other processes keep busy, looked at for so long."""
    watch = Watch()
    time.sleep(seconds)
    return watch.stretch().others_cores


def noise_floor() -> float:
    """Spread (p90 − p10, relative to the median) of a fixed piece of work: nothing can be measured more finely."""
    ordered = sorted(timed_ms(lambda: hashlib.blake2b(_FLOOR_BYTES).digest()) for _ in range(_FLOOR_PASSES))
    low, high = statistics.percentile(ordered, 0.1), statistics.percentile(ordered, 0.9)
    assert low is not None
    assert high is not None
    return (high - low) / statistics.median(ordered)


def others_on_card() -> list[str] | None:
    """Processes of others on NVIDIA cards, by name or number; None where nothing tells."""
    if find_spec("pynvml") is None:
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    found = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        card = pynvml.nvmlDeviceGetHandleByIndex(index)
        found += [entry.pid for entry in pynvml.nvmlDeviceGetComputeRunningProcesses(card)]
    own = {os.getpid(), os.getppid()}
    return [_named(pid) for pid in found if pid not in own]


@dataclass(frozen=True, slots=True)
class _Account:
    at: float
    busy_s: float
    stolen_s: float
    own_s: float
    cores: int


def _account() -> _Account:
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    listed = psutil.cpu_times(percpu=True)
    cores = [listed[index] for index in usable if index < len(listed)] or listed
    stolen = sum(getattr(core, "steal", 0.0) for core in cores)
    resting = sum(core.idle + getattr(core, "iowait", 0.0) for core in cores)
    own = psutil.Process().cpu_times()
    return _Account(
        at=time.perf_counter(),
        # Guests' time is in that of users already, on Linux.
        busy_s=sum(sum(core) - getattr(core, "guest", 0.0) - getattr(core, "guest_nice", 0.0) for core in cores)
        - resting
        - stolen,
        stolen_s=stolen,
        own_s=own.user + own.system,
        cores=len(cores),
    )


def _named(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} ({pid})"
    except psutil.Error:
        return f"process {pid}"
