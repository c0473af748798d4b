"""What a child process tells its supervisor while it runs: one JSON line per message, so nothing is ever unpickled."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from modelmuster.records import CellError, Evidence, Outcome, Recipe, Result, Stage


class StageEntered(msgspec.Struct, frozen=True, tag=True):
    """Sent before the stage begins, so that a crash in it is told from a crash elsewhere."""

    stage: Stage
    at_ms: float
    """Since the cell began."""


class RecipeMade(msgspec.Struct, frozen=True, tag=True):
    """The subject is built."""

    recipe: Recipe


class EvidenceRead(msgspec.Struct, frozen=True, tag=True):
    """What the runtime says about the runs so far; a later message replaces an earlier one."""

    evidence: Evidence


class CheckStarted(msgspec.Struct, frozen=True, tag=True):
    """The check of this name begins."""

    check: str


class CheckDone(msgspec.Struct, frozen=True, tag=True):
    """A check's result; it stands whatever happens afterwards."""

    result: Result


class CellStopped(msgspec.Struct, frozen=True, tag=True):
    """The subject could not be built or opened: every check without a result gets this outcome."""

    outcome: Outcome
    stage: Stage
    message: str
    error: CellError


class TargetLost(msgspec.Struct, frozen=True, tag=True):
    """The device is no longer there, so that nothing was found out about the model."""

    reason: str


class CellDone(msgspec.Struct, frozen=True, tag=True):
    """Nothing more will come; what the whole cell cost, by the child's own account."""

    at_ms: float
    cpu_ms: float
    peak_rss_bytes: int


Message: TypeAlias = (
    StageEntered | RecipeMade | EvidenceRead | CheckStarted | CheckDone | CellStopped | TargetLost | CellDone
)

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """The message as a line.

    Raises:
        TypeError, UnicodeEncodeError: a check returned what JSON cannot hold.
    """
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes | bytearray) -> Message:
    """The message of a line.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _decoder.decode(line)
