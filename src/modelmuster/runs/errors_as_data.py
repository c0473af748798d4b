"""Exceptions of a child process as data: which outcome they mean, and a fingerprint that is equal for equal causes."""

from __future__ import annotations

import errno
import hashlib
import re
import signal
import traceback
from pathlib import PurePath

from modelmuster import dependencies
from modelmuster.errors import (
    CannotReshape,
    Crashed,
    MissingDependency,
    ModuleUnavailable,
    MusterError,
    ReferenceUnstable,
    Unavailable,
    Unsupported,
)
from modelmuster.records import CellError, Outcome

MESSAGE_CHARACTERS = 4_000
TRACEBACK_CHARACTERS = 16_000

_OUT_OF_MEMORY = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "std::bad_alloc",
)
"""How torch's CPU allocator and C++ say it, in a RuntimeError."""

_VARIABLE = re.compile(
    r"0x[0-9a-fA-F]+"  # addresses
    r"|(?:[A-Za-z]:)?(?:[\\/][^\s\\/'\":,()]+){2,}"  # paths
    r"|\d+(?:\.\d+)?(?:e[+-]?\d+)?"  # numbers
)


def outcome_of(error: BaseException) -> Outcome:
    """The outcome that an exception means."""
    match error:
        case Unsupported():
            return Outcome.UNSUPPORTED
        case Unavailable() | MissingDependency():
            return Outcome.UNAVAILABLE
        case ModuleNotFoundError() if dependencies.lacking(error):
            return Outcome.UNAVAILABLE
        case Crashed():
            return Outcome.CRASH
        case ModuleUnavailable() | ReferenceUnstable() | CannotReshape():
            # None of them says anything about the target, so none may enter its rate.
            return Outcome.NOT_APPLICABLE
        case _:
            return Outcome.OOM if _is_out_of_memory(error) else Outcome.ERROR


def describe(error: BaseException) -> CellError:
    """The exception as a record; never raises, whatever the exception is."""
    kind = type(error).__name__
    message = message_of(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].name}" if frames else ""
    return CellError(
        type=kind,
        message=message,
        traceback=_shortened("".join(traceback.format_exception(error)), TRACEBACK_CHARACTERS),
        fingerprint=fingerprint(kind, message, place),
    )


def message_of(error: BaseException) -> str:
    """The exception's own words; says so where they cannot be had."""
    if isinstance(error, MusterError):
        return _shortened(str(error), MESSAGE_CHARACTERS)
    try:
        text = str(error)
    except BaseException as broken:  # noqa: BLE001 - a third party's __str__ may raise anything
        text = f"its message cannot be read: __str__ raised {type(broken).__name__}"
    kind = type(error).__name__
    said = f"{kind}: {text}" if text else kind
    if isinstance(error, ModuleNotFoundError) and (package := dependencies.lacking(error)):
        said += f"\n  type: {dependencies.install_command(package)}"
    return _shortened(said, MESSAGE_CHARACTERS)


def of_death(kind: str, message: str, log: str) -> CellError:
    """The violent end of a process, with the Python stack that faulthandler wrote to its log.

    Args:
        kind: The signal's name, or what else ended it.
        message: What is said to the user.
        log: The end of the process's log.
    """
    start = log.find("Fatal Python error")
    if start < 0:
        start = max(log.rfind("Current thread"), log.rfind("Thread 0x"))
    stack = log[start:].partition("\n\nExtension modules:")[0] if start >= 0 else ""
    innermost = re.search(r'File ".*?([^/\\"]+)", line \d+ in (\S+)', stack)
    place = f"{innermost[1]}:{innermost[2]}" if innermost else ""
    return CellError(type=kind, message=message, traceback=stack, fingerprint=fingerprint(kind, "", place))


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11; real-time signals have only numbers."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def fingerprint(kind: str, message: str, place: str) -> str:
    """Sixteen hex digits over type, message without numbers, addresses and paths, and place without line number."""
    text = "\0".join((kind, " ".join(_VARIABLE.sub("#", message).split()), place))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def storable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot hold."""
    return text.encode(errors="replace").decode()


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # torch.OutOfMemoryError, by name: this module must not import torch to know it.
    if any(base.__name__ == "OutOfMemoryError" for base in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(mark in message_of(error) for mark in _OUT_OF_MEMORY)


def _shortened(text: str, limit: int) -> str:
    text = storable(text)
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
