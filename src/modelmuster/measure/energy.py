"""Energy counters of processors and cards, through zeus; where there is none, nothing is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from modelmuster import dependencies

LEAST_SECONDS = 10.0
"""Counters tick a few times a second up to a thousand times: shorter work is rounded away."""

RAPL = "RAPL of all processor packages, through zeus: everything that ran on them meanwhile is in it"
NVML = "the card's own counter, through zeus: everything that ran on it meanwhile is in it"


@dataclass(frozen=True, slots=True)
class Meter:
    """A counter, or the reason why there is none."""

    method: str
    read: Callable[[], float] | None = None
    """Millijoules since some moment in the past."""


def meter(device: str) -> Meter:
    """The counter of `cpu` or `cuda` on this machine."""
    if device not in {"cpu", "cuda"}:
        return Meter(f"no counter is known for {device}")
    if find_spec("zeus") is None:
        return Meter(f"zeus, which reads the counters, is not installed: {dependencies.install_command('zeus')}")
    try:
        return _processor() if device == "cpu" else _card()
    except Exception as error:  # noqa: BLE001 - drivers and permissions fail in ways of their own; the reason is kept
        return Meter(f"no counter: {type(error).__name__}: {error}")


def _processor() -> Meter:
    from zeus.device.cpu import get_cpus

    packages = get_cpus()

    def read() -> float:
        return float(sum(packages.get_total_energy_consumption(index).cpu_mj for index in range(len(packages.cpus))))

    read()
    return Meter(RAPL, read)


def _card() -> Meter:
    from zeus.device.gpu import get_gpus

    cards = get_gpus()

    def read() -> float:
        return float(cards.get_total_energy_consumption(0))

    read()
    return Meter(NVML, read)
