"""The first code of a child process: shut it in, point its output at the log, run the cell, end without teardown."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

from modelmuster.contracts import Job
from modelmuster.runs import containment
from modelmuster.runs.cell import run_cell
from modelmuster.runs.messages import Message, encode

DUMP_SIGNAL = signal.SIGUSR1
"""Makes a child write the Python stack of every thread to its log; interrupts system calls, so it ends a sleep."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a child is shut in; what its supervisor knows and the job does not say."""

    log: str
    """Path of the file that takes its output."""
    limit_data: bool
    """Whether allocations may be made to fail at the memory limit."""


def main(job: Job, rules: Rules, pipe: Connection, companion: Connection | None = None) -> None:
    """Run the job's cell and report over the pipe; does not return."""
    shut_in(rules.log)
    faulthandler.register(signal.SIGXCPU, file=2, all_threads=True, chain=True)
    containment.limit_cpu(job.limits.cpu_s)
    if rules.limit_data:
        containment.limit_data(job.limits.memory_bytes)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(job.limits.threads)
    else:
        # In a new interpreter it is yet to be imported, and reads this.
        os.environ["OMP_NUM_THREADS"] = str(job.limits.threads)
    if "tqdm" in sys.modules:
        # Its own lock is a semaphore of the system, which this process would leave behind.
        sys.modules["tqdm"].tqdm.set_lock(threading.RLock())
    run_cell(job, lambda message: _send(pipe.fileno(), message), companion)
    end()


def shut_in(log: str) -> None:
    """Put the calling process, just started, into a group of its own that dies with the supervisor, with this log."""
    os.setsid()
    containment.die_with_supervisor()
    containment.adopt_orphans()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    _redirect_output(log)
    faulthandler.enable(file=2, all_threads=True)
    faulthandler.register(DUMP_SIGNAL, file=2, all_threads=True, chain=False)
    containment.be_first_killed()


def end() -> NoReturn:
    """End the calling process and all that it has started."""
    if containment.has_children():
        containment.kill_all(containment.descendants(os.getpid()))
    sys.stdout.flush()
    sys.stderr.flush()
    # No destructors and no exit handlers: a runtime that crashes while it is torn down has done its work.
    os._exit(0)


def _redirect_output(log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(nothing)
    os.close(file)
    for stream in (sys.stdout, sys.stderr):
        # A line that is printed before a crash must not be lost in a buffer.
        stream.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]


def _send(pipe: int, message: Message) -> None:
    rest = memoryview(encode(message))
    while rest:
        rest = rest[os.write(pipe, rest) :]
