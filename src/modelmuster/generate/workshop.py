"""Blueprints of many classes, each made in a process of its own: what one model does to its process harms no other."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe, connection
from pathlib import Path

from modelmuster.generate.blueprint import Blueprint, decode, encode, without_recipe
from modelmuster.records import Architecture
from modelmuster.runs import containment, preload
from modelmuster.runs.errors_as_data import signal_name
from modelmuster.runs.forkserver import server

SECONDS = 300.0
"""Wall-clock time that one class may take."""

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Order:
    """One class to make a blueprint of."""

    architecture: Architecture
    model_class: str


def build(orders: Iterable[Order], *, slots: int, cache_dir: Path | None = None) -> Iterator[Blueprint]:
    """One blueprint for each order, as they are done; one with a reason where that fails.

    All processes are started by the calling thread: the fork server ends with the thread that started it.
    """
    server.preload(preload.BUILDING)
    waiting, live = deque(orders), list[_Making]()
    with tempfile.TemporaryDirectory(prefix="muster-blueprints-") as folder:
        try:
            while waiting or live:
                while waiting and len(live) < slots:
                    live.append(_Making(waiting.popleft(), Path(folder), cache_dir))
                connection.wait([making.reader for making in live], timeout=POLL_SECONDS)
                for making in [making for making in live if making.has_ended()]:
                    live.remove(making)
                    yield making.result()
        finally:
            for making in live:
                making.kill()


class _Making:
    """A process that makes one blueprint."""

    def __init__(self, order: Order, folder: Path, cache_dir: Path | None) -> None:
        self.order = order
        handle, name = tempfile.mkstemp(dir=folder, suffix=".log")
        os.close(handle)
        self._log = Path(name)
        self.reader, writer = Pipe(duplex=False)
        self._process = server.context.Process(target=_child, args=(order, cache_dir, name, writer))
        server.start(self._process, log=str(folder / "fork-server.log"))
        writer.close()
        self._started = time.monotonic()

    def has_ended(self) -> bool:
        """Whether it has told its result, died, or used up its time."""
        return self.reader.poll() or time.monotonic() > self._started + SECONDS

    def kill(self) -> None:
        """End it."""
        assert self._process.pid is not None
        containment.kill_group(self._process.pid)
        self._process.join()
        self.reader.close()

    def result(self) -> Blueprint:
        """What it told, or why it told nothing."""
        if not self.reader.poll():
            self.kill()
            return _without(self.order, f"it took longer than {SECONDS:.0f} s")
        with self.reader:
            try:
                told = self.reader.recv_bytes()
            except EOFError:
                told = b""
        self._process.join()
        if told:
            return decode(told)
        return _without(self.order, _last_words(self._process.exitcode or 0, self._log))


def _without(order: Order, reason: str) -> Blueprint:
    return without_recipe(order.architecture, order.model_class, reason)


def _last_words(code: int, log: Path) -> str:
    if code < 0:
        return f"its process was killed by {signal_name(-code)}"
    return log.read_text(errors="replace").strip().rpartition("\n")[2] or f"its process ended with code {code}"


def _child(order: Order, cache_dir: Path | None, log: str, pipe: connection.Connection) -> None:
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
