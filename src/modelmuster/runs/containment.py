"""What the operating system offers to keep a process and all that it starts in hand: groups, ties, limits, memory.

Linux offers all of it. Elsewhere psutil and process groups do what they can, and the docstrings say what is lost.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil

LINUX = sys.platform == "linux"

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(number: int) -> None:
    """Have the kernel send this signal to the calling process when its parent dies. Linux only."""
    if LINUX:
        _libc().prctl(_PR_SET_PDEATHSIG, number)


def die_with_supervisor() -> None:
    """End the calling child process, with its group, when the process that ordered it is gone.

    Linux ties the child to its parent, the fork server, which is tied to the supervisor. Elsewhere a thread waits for
    the supervisor's end; it cannot act while C code holds the interpreter's lock.
    """
    from multiprocessing import connection, parent_process

    die_with_parent(signal.SIGKILL)
    supervisor = parent_process()
    if supervisor is None:
        return
    if connection.wait([supervisor.sentinel], timeout=0):
        os._exit(1)
    if not LINUX:

        def wait_for_it() -> None:
            connection.wait([supervisor.sentinel])
            os.killpg(0, signal.SIGKILL)

        threading.Thread(target=wait_for_it, name="supervisor-watch", daemon=True).start()


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none slips away by calling setsid. Linux only."""
    if LINUX:
        _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1)


def has_children() -> bool:
    """Whether the calling process has a child, dead or alive, that nobody has waited for; costs one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def has_exited(child: int) -> bool:
    """Whether a child of the calling process has ended; it is left for its owner to wait for."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def wait_for_exit(child: int, *, seconds: float) -> bool:
    """Wait until a child of the calling process has ended, and leave it for its owner to reap; False if it has not."""
    deadline = time.monotonic() + seconds
    while not (gone := has_exited(child)) and time.monotonic() < deadline:
        time.sleep(0.005)
    return gone


def descendants(pid: int) -> list[psutil.Process]:
    """Every living process below this one; reads the whole process table (some milliseconds)."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """Kill them; those that are gone, or whose number now belongs to another process, are left alone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.kill()


def kill_group(leader: int) -> None:
    """Kill the process group, or the one process while it has not yet made its group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        with suppress(ProcessLookupError):
            os.kill(leader, signal.SIGKILL)


def kill_remains(leader: int) -> None:
    """Kill what is left of the group of a leader that has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def resident_bytes(pid: int) -> int:
    """Resident memory of one process; 0 when it is gone."""
    if LINUX:
        # 18 µs; psutil, and any other file of /proc, costs several times that.
        try:
            return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a living process; None when it is gone."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return None


def kernel_oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started; 0 where it does not count."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def limit_cpu(seconds: float) -> None:
    """SIGXCPU after so much processor time, SIGKILL five seconds of it later."""
    import resource

    soft = max(1, int(seconds + 0.999))
    resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + 5))


def limit_data(further_bytes: int) -> None:
    """Let allocations fail cleanly beyond what the process has now plus so many bytes. Linux only.

    Counts private writable memory as soon as it is reserved. Unsuited to runtimes that reserve far more than they use,
    such as CUDA; a target that starts a browser lifts it again, which the hard limit allows.
    """
    if LINUX:
        import resource

        pages = int(Path("/proc/self/statm").read_bytes().split()[5])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + further_bytes
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def be_first_killed() -> None:
    """Let the kernel choose this process before any other when memory runs out. Linux only."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)
