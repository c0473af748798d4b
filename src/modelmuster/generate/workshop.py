"""Blueprints of many classes, each made in a process of its own: what one model does to its process harms no other."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from modelmuster.generate.blueprint import Blueprint, encode, without_recipe
from modelmuster.records import Architecture
from modelmuster.runs import containment, preload
from modelmuster.runs.errors_as_data import signal_name
from modelmuster.runs.forkserver import server

SECONDS = 90.0
"""Wall-clock time that one class may take."""


@dataclass(frozen=True, slots=True)
class Order:
    """One class to make a blueprint of."""

    architecture: Architecture
    model_class: str


def build(orders: Iterable[Order], *, slots: int, cache_dir: Path | None = None) -> Iterator[Blueprint]:
    """One blueprint for each order, in their order; one with a reason where that fails."""
    server.preload(preload.BUILDING)
    starting = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="muster-blueprints-") as folder, ThreadPoolExecutor(slots) as pool:
        yield from pool.map(lambda order: _build(order, Path(folder), cache_dir, starting), orders)


def _build(order: Order, folder: Path, cache_dir: Path | None, starting: threading.Lock) -> Blueprint:
    reader, writer = Pipe(duplex=False)
    handle, log = tempfile.mkstemp(dir=folder, suffix=".log")
    os.close(handle)
    process = server.context.Process(target=_child, args=(order, cache_dir, log, writer))
    with starting:
        server.start(process, log=str(folder / "fork-server.log"))
    writer.close()
    assert process.pid is not None
    with reader, suppress(EOFError):
        if not reader.poll(SECONDS):
            containment.kill_group(process.pid)
            process.join()
            return _without(order, f"it took longer than {SECONDS:.0f} s")
        made = msgspec.json.decode(reader.recv_bytes(), type=Blueprint)
        process.join()
        return made
    process.join()
    return _without(order, _last_words(process.exitcode or 0, Path(log)))


def _without(order: Order, reason: str) -> Blueprint:
    return without_recipe(order.architecture, order.model_class, reason)


def _last_words(code: int, log: Path) -> str:
    if code < 0:
        return f"its process was killed by {signal_name(-code)}"
    return log.read_text(errors="replace").strip().rpartition("\n")[2] or f"its process ended with code {code}"


def _child(order: Order, cache_dir: Path | None, log: str, pipe: Connection) -> None:
    os.setsid()
    containment.die_with_supervisor()
    file = os.open(log, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    import torch

    from modelmuster.generate.survey import survey

    torch.set_num_threads(1)
    pipe.send_bytes(encode(survey(order.architecture, order.model_class, cache_dir)))
    sys.stdout.flush()
    os._exit(0)
