"""Imported by the fork server before it forks: what every cell needs, imports only.

Nothing here may run a tensor operation, initialise a device or start a thread: OpenMP pools and device contexts do not
survive a fork. What cannot be imported is left to the children, whose error then says why.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from types import FrameType

from modelmuster.runs import containment

MODULES_VARIABLE = "MODELMUSTER_PRELOAD"
"""JSON list of the modules to import."""
LOG_VARIABLE = "MODELMUSTER_PRELOAD_LOG"
"""File that takes the server's output from the start."""

ALWAYS = ("numpy", "numpy.ma", "numpy.random", "modelmuster.runs.child", "modelmuster.runs.companions")
"""What the children themselves are made of, and what NumPy imports when it is first used."""
CHECKS = "modelmuster.checks.*"
BUILDING = (
    "torch",
    "torch._inductor.compile_fx",
    "torch.nn.attention.flex_attention",
    "transformers",
    "transformers.integrations.flex_attention",
    "transformers.modeling_utils",
    "transformers.configuration_utils",
    "transformers.masking_utils",
    "transformers.cache_utils",
    "transformers.generation.utils",
    "transformers.generation.candidate_generator",
    "transformers.modeling_layers",
    "transformers.modeling_rope_utils",
    "transformers.models.auto.configuration_auto",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.processing_auto",
    "timm",
    "modelmuster.recipes.*",
    "modelmuster.numerics.*",
    CHECKS,
)
"""What building and checking any transformers model needs, `.*` for a package with all its modules; the modules of the
one model are the child's to import. Importing `torch` and `transformers` alone leaves two seconds of lazy imports to
every child."""


def preload() -> None:
    """Tie this server to its supervisor, import what it was told to import, and prove that it has one thread.

    Raises:
        RuntimeError: an import started a thread, so that forking would be unsafe.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    containment.adopt_orphans()
    containment.die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, _end_with(os.getpid()))
    # Orphans that the server adopts are not in the standard library's books.
    warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
    if log := os.environ.pop(LOG_VARIABLE, ""):
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
    # Taken out, lest a process that a cell starts should think itself the server.
    wanted = json.loads(os.environ.pop(MODULES_VARIABLE))
    for name in (*ALWAYS, *wanted):
        _import(name)
        _assert_one_thread(name)
    from modelmuster import plugins

    # The entry points of all distributions are read once, here, and not in every child.
    plugins.targets()
    if CHECKS in wanted:
        # Our own checks are ready-made; a third party's code is for the children, which may crash.
        plugins.checks().load_ours()
    gc.collect()
    gc.freeze()


def _import(name: str) -> None:
    """Import a module, with `.*` all modules of a package; those that cannot be imported do not keep the others out."""
    try:
        package = importlib.import_module(name.removesuffix(".*"))
    except Exception:  # noqa: BLE001 - a third party's import may raise anything; the log keeps it
        traceback.print_exc()
        return
    if name.endswith(".*"):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            _import(f"{found.name}.*" if found.ispkg else found.name)


def _assert_one_thread(name: str) -> None:
    if containment.LINUX and (threads := len(os.listdir("/proc/self/task"))) > 1:  # noqa: PTH208 - names suffice
        message = f"importing {name} leaves {threads} threads in the fork server, which makes forking unsafe"
        print(message, file=sys.stderr, flush=True)  # noqa: T201 - the server's log
        raise RuntimeError(message)


def _end_with(server: int) -> Callable[[int, FrameType | None], None]:
    """A signal handler that ends the server and all its children."""

    def end(_number: int, _frame: FrameType | None) -> None:
        # A child has this handler too, for the moment before it installs its own.
        if os.getpid() == server:
            containment.kill_all(containment.descendants(server))
        os._exit(0)

    return end


if MODULES_VARIABLE in os.environ:
    preload()
