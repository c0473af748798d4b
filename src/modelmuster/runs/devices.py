"""When the device dies under a cell: a context that is beyond use is one crash, a device that is gone no fault at all.

Drivers answer every later call of the process with the error that spoiled its context, so that whatever was asked next
would be blamed for it. And where a card has fallen off the bus, a driver was unloaded or a machine lost its GPU, the
cell says nothing about its model: its worker was lost.
"""

from __future__ import annotations

from modelmuster.contracts import Target
from modelmuster.runs import errors_as_data, probes

SPOILED = "the device's context was spoiled in the check before"

_STICKY = (
    "an illegal memory access was encountered",
    "an illegal instruction was encountered",
    "device-side assert triggered",
    "unspecified launch failure",
    "misaligned address",
    "the launch timed out and was terminated",
    "uncorrectable ECC error",
    "hardware stack error",
    "invalid program counter",
    "operation not supported on global/shared address space",
    "context is destroyed",
    "device is lost",
    "device lost",
    "DEVICE_LOST",
    "GPU is lost",
)
"""The errors after which, as NVIDIA's reference of `cudaError_t` has it, the process must end before the device can be
used again; and what other drivers say to the same."""


def is_spoiled(error: BaseException) -> bool:
    """Whether the error says that nothing more can be asked of the device in this process."""
    message = errors_as_data.message_of(error)
    return any(mark in message for mark in _STICKY)


def gone(target: Target) -> str:
    """Why a new process no longer finds the device that the target ran on; empty where it is still there.

    Asked of targets with a device of their own only: a processor that had gone would not ask.
    """
    if not target.resources:
        return ""
    found = probes.probe_all([target.name])[target.name]
    return "" if found.available else found.reason
