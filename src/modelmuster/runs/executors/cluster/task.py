"""What runs inside a Ray worker: one cell at a time, contained exactly as on a single machine.

A Ray worker has open connections and threads, so it must not be forked. It owns a fork server instead, which is a new
interpreter; both live as long as the worker. Everything that goes back is JSON of the types below.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from modelmuster.contracts import Job, Probe
from modelmuster.records import CellRecord, Environment
from modelmuster.runs import environment, folders
from modelmuster.runs.executors.cluster.declared import DEVICES_VARIABLE
from modelmuster.runs.isolation import Supervisor
from modelmuster.settings import user_cache

LOG_BYTES = 1 << 20
"""How much of a cell's log goes back; its end."""


class Started(msgspec.Struct, frozen=True, tag=True):
    """The cell runs now."""

    worker: str


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The cell's record, and the end of its log."""

    record: CellRecord
    log: str


Said = Started | Ended
_decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Started | Ended)


def decode(said: object) -> Said:
    """What a worker said.

    Raises:
        msgspec.DecodeError: it is none of the two.
    """
    if not isinstance(said, bytes):
        raise msgspec.DecodeError(f"a worker sent a {type(said).__name__} instead of a record")
    return _decoder.decode(said)


def run_cell(encoded: bytes) -> Iterator[bytes]:
    """Run one job, given as JSON."""
    job = msgspec.json.decode(encoded, type=Job)
    supervisor = _supervisor()
    yield msgspec.json.encode(Started(supervisor.worker))
    with tempfile.TemporaryDirectory(prefix="muster-") as logs:
        [record] = supervisor.run([replace(job, log_dir=logs, cache_dir=_cache(job))])
        yield msgspec.json.encode(Ended(record, _log(Path(logs) / folders.log_name(job.cell, job.attempt))))


def describe() -> bytes:
    """This node's environment, as JSON."""
    devices = json.loads(os.environ.get(DEVICES_VARIABLE, "{}"))
    probes = {name: Probe(available=True, reason=device, device_name=device) for name, device in devices.items()}
    return msgspec.json.encode(environment.capture(probes))


def node_name() -> str:
    """The host with the beginning of the node's id, since one host can carry several nodes."""
    import ray

    return name_of(socket.gethostname(), ray.get_runtime_context().get_node_id())


def name_of(host: str, node_id: str) -> str:
    """The name of a node wherever it is shown."""
    return f"{host}-{node_id[:6]}"


def read_environment(said: object) -> Environment:
    """What `describe` said.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    if not isinstance(said, bytes):
        raise msgspec.DecodeError(f"a worker sent a {type(said).__name__} instead of its environment")
    return msgspec.json.decode(said, type=Environment)


@functools.cache
def _supervisor() -> Supervisor:
    return Supervisor(slots=1, place=node_name())


def _cache(job: Job) -> str:
    """The driver's cache where this is the same machine, else this machine's own."""
    if not job.cache_dir or Path(job.cache_dir).is_dir():
        return job.cache_dir
    return str(user_cache() / "cells")


def _log(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # nothing was printed
        return ""
    return content[-LOG_BYTES:].decode(errors="replace")
