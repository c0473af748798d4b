"""The standard library's fork server, started with the right modules, environment and nothing of our `__main__`.

There is one server per process, as the standard library has it. Its children are the cells.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess

import psutil

from modelmuster.runs import containment, preload

CHILD_ENVIRONMENT = {
    # Threads in the server would make forking unsafe, and cells run side by side: each gets its share explicitly.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Set for every child process, over whatever the user's environment says."""


class ForkServer:
    """Starts processes from the preloaded server; restarts it when it has died."""

    def __init__(self) -> None:
        self.context: ForkServerContext = multiprocessing.get_context("forkserver")
        self.pid: int | None = None
        """The server's process, once it has made a child."""
        self._modules: frozenset[str] = frozenset()

    def preload(self, modules: Iterable[str]) -> None:
        """Have the server import these too; one that runs without them is stopped, to be started anew."""
        wanted = self._modules | frozenset(modules)
        if wanted != self._modules:
            self.stop()
            self._modules = wanted

    def start(self, process: BaseProcess, *, log: str) -> None:
        """Start a process of `context`; the first one waits until the server has imported its modules.

        Args:
            process: Made by `context.Process`.
            log: File for the output of the server, should it have to be started.

        Raises:
            OSError, EOFError: the server cannot be started or died.
        """
        self.context.set_forkserver_preload([preload.__name__])
        extra = {preload.MODULES_VARIABLE: json.dumps(_in_order(self._modules)), preload.LOG_VARIABLE: log}
        with child_environment(extra), without_main():
            process.start()
        assert process.pid is not None
        with suppress(psutil.NoSuchProcess):
            self.pid = psutil.Process(process.pid).ppid()

    def is_alive(self) -> bool:
        """Whether the server that made the last child still runs."""
        return self.pid is not None and not containment.has_exited(self.pid)

    def orphans(self, living: Iterable[int]) -> list[psutil.Process]:
        """What ended cells have left behind: every process below the server that no living cell has started."""
        if self.pid is None:
            return []
        try:
            children = psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []
        known = set(living)
        left = [child for child in children if child.pid not in known]
        return [process for child in left for process in (child, *containment.descendants(child.pid))]

    def stop(self) -> None:
        """End the server and everything below it; the next `start` starts another."""
        if self.pid is not None and not containment.has_exited(self.pid):
            below = containment.descendants(self.pid)
            with suppress(psutil.NoSuchProcess):
                psutil.Process(self.pid).kill()
            containment.kill_all(below)
            # Only watched: to wait for it is the standard library's part, before it starts the next server.
            containment.wait_for_exit(self.pid, seconds=10)
        self.pid = None


def spawn_context() -> SpawnContext:
    """For targets that cannot live in a forked process."""
    return multiprocessing.get_context("spawn")


@contextmanager
def child_environment(extra: Mapping[str, str] = types.MappingProxyType({})) -> Iterator[None]:
    """The environment that a process started meanwhile inherits."""
    wanted = {**CHILD_ENVIRONMENT, **extra}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def without_main() -> Iterator[None]:
    """Hide the main script: multiprocessing would import it, be it pytest or the whole command line, in every child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _in_order(modules: frozenset[str]) -> list[str]:
    """The building set in its own order, the rest behind it."""
    return [name for name in preload.BUILDING if name in modules] + sorted(modules - set(preload.BUILDING))


server = ForkServer()
