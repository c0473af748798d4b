"""One attempt at one cell, seen from the supervisor: a child process, its messages, its limits and its end."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import Pipe
from pathlib import Path
from signal import SIGABRT, SIGKILL, SIGXCPU

import msgspec
import psutil

from modelmuster.contracts import Job, Target
from modelmuster.records import CellError, CellRecord, Measurement, Outcome
from modelmuster.runs import child, containment, errors_as_data, folders, messages
from modelmuster.runs.companions import Companion
from modelmuster.runs.forkserver import child_environment, server, spawn_context, without_main
from modelmuster.runs.verdict import Account, Ending, record

LOG_TAIL_BYTES = 8_192
"""How much of its log a record carries."""
STACK_BYTES = 65_536
"""How far back in its log a stack is looked for: with torch loaded, a dump lists hundreds of extension modules."""
DUMP_SECONDS = 0.5
"""How long a child that is out of time gets to write its stack before it is killed."""
FAMILY_SECONDS = 1.0
"""How often a child's descendants are looked up: that reads the whole process table."""
MESSAGE_BYTES = 1 << 29
"""A child that sends more without a line end is stopped, before it fills the supervisor's memory."""


class Attempt:
    """A running child process."""

    def __init__(self, job: Job, target: Target, *, worker: str, companion: Companion | None = None) -> None:
        """Start the process.

        Raises:
            OSError, EOFError: it cannot be started.
            InfrastructureError: its log cannot be written.
        """
        self.job, self.target, self.worker, self.companion = job, target, worker, companion
        self.account = Account()
        self.started_at = datetime.now(UTC).isoformat()
        self.log = folders.write_log(job)
        self._reader, writer = Pipe(duplex=False)
        rules = child.Rules(log=str(self.log), limit_data=target.start_method == "fork" and not target.resources)
        forked = target.start_method == "fork"
        context = server.context if forked else spawn_context()
        way = companion.connection if companion is not None else None
        self._process = context.Process(target=child.main, args=(job, rules, writer, way), name=job.cell.id)
        try:
            if forked:
                server.start(self._process, log=str(Path(job.log_dir) / "fork-server.log"))
            else:
                with child_environment(), without_main():
                    self._process.start()
        except BaseException:
            # Ctrl-C too, and raised again: nobody else knows of this pipe and this process yet.
            self._reader.close()
            if self._process.pid is not None:  # an interruption came between its start and our taking notice
                containment.kill_group(self._process.pid)
            raise
        finally:
            writer.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.started = time.monotonic()
        os.set_blocking(self._reader.fileno(), False)
        self._server = server.pid if forked else None
        self._buffer = bytearray()
        self._base = self._peak = containment.resident_bytes(self.pid)
        self._family_at = self.started + FAMILY_SECONDS
        self._family: list[psutil.Process] = companion.processes() if companion is not None else []
        self._base += self._resident_family()
        self._kills = containment.kernel_oom_kills()
        self._cpu_s: float | None = None
        self._dumped_at: float | None = None
        self._ending: Ending | None = None

    @property
    def waitables(self) -> tuple[int, ...]:
        """File descriptors that become readable when there is something to `drain` or the process has ended."""
        sentinel = self._process.sentinel
        return (sentinel,) if self._reader.closed else (self._reader.fileno(), sentinel)

    @property
    def elapsed(self) -> float:
        """Seconds since the process started."""
        return time.monotonic() - self.started

    def drain(self) -> None:
        """Take in what the child has told. Once its time was up, nothing that it says counts any more."""
        while not self._reader.closed:
            try:
                chunk = os.read(self._reader.fileno(), 1 << 20)
            except BlockingIOError:
                return
            if not chunk:
                self._reader.close()
                return
            if self._ending is None:
                self._buffer += chunk
                if b"\n" in chunk:
                    self._take_lines()
                elif len(self._buffer) > MESSAGE_BYTES:
                    self._stop(Ending(Outcome.CRASH, f"sent more than {MESSAGE_BYTES >> 20} MB without an end"))

    def watch(self) -> None:
        """Enforce the limits of time and memory."""
        now, limits = time.monotonic(), self.job.limits
        if self._dumped_at is not None:
            if now > self._dumped_at + DUMP_SECONDS:
                self.kill()
            return
        if self._ending is not None:
            return
        if now > self._family_at:
            self._family_at = now + FAMILY_SECONDS
            self._family = containment.descendants(self.pid)
            if self.companion is not None:
                self._family += self.companion.processes()
            self._cpu_s = containment.cpu_seconds(self.pid)
        used = containment.resident_bytes(self.pid)
        self._peak = max(self._peak, used)
        used += self._resident_family()
        if used - self._base > limits.memory_bytes:
            grown = (used - self._base) >> 20
            self._stop(
                Ending(
                    Outcome.OOM, f"used {grown} MB more than at its start; the limit is {limits.memory_bytes >> 20} MB"
                )
            )
        elif now > self.started + limits.wall_s:
            self.drain()
            self._cpu_s = containment.cpu_seconds(self.pid)
            self._ending = Ending(Outcome.TIMEOUT, f"took longer than {limits.wall_s:g} s; its stack is in the log")
            self._dumped_at = now
            with suppress(ProcessLookupError):
                os.kill(self.pid, child.DUMP_SIGNAL)

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.exitcode is not None

    def kill(self) -> None:
        """Kill the process and everything that it started."""
        below = containment.descendants(self.pid)
        containment.kill_group(self.pid)
        containment.kill_all(below)

    def abandon(self) -> None:
        """Kill it, and keep nothing of it."""
        self.kill()
        self._process.join(timeout=5)
        self._reader.close()

    def finish(self, living: Collection[int]) -> CellRecord:
        """Clear up behind the ended process and say what became of its cell.

        Args:
            living: The processes of the cells that still run.
        """
        elapsed = self.elapsed
        code = self._process.exitcode
        assert code is not None
        self.drain()
        self._reader.close()
        containment.kill_remains(self.pid)
        if self._ending is not None or self.account.done is None or code:
            # What the cell could not clear up itself. With the server gone, only those that were seen can be found.
            containment.kill_all([*self._family, *server.orphans(living)])
        log = self._end_of_log()
        ending = self._ending or self._how_it_died(code, log)
        if ending is not None and ending.outcome is Outcome.TIMEOUT:
            ending = replace(ending, error=errors_as_data.of_death("timeout", ending.message, log))
        self._process.join()
        self._process.close()
        done = self.account.done
        if done is None:
            self.account.leave_stage(1000 * elapsed)
        return record(
            self.job,
            self.target.inference,
            self.account,
            ending,
            worker=self.worker,
            started_at=self.started_at,
            measurement=Measurement(
                duration_ms=done.at_ms if done else 1000 * elapsed,
                cpu_ms=done.cpu_ms if done else None if self._cpu_s is None else 1000 * self._cpu_s,
                peak_rss_bytes=max(self._peak, done.peak_rss_bytes if done else 0) or None,
            ),
            log_tail=log.encode()[-LOG_TAIL_BYTES:].decode(errors="replace"),
        )

    def _resident_family(self) -> int:
        return sum(containment.resident_bytes(member.pid) for member in self._family)

    def _take_lines(self) -> None:
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        for line in lines:
            try:
                self.account.take(messages.decode(line))
            except msgspec.DecodeError as error:
                self._stop(Ending(Outcome.CRASH, f"sent what is no message: {error}"))
                return

    def _stop(self, ending: Ending) -> None:
        self._ending = ending
        self._cpu_s = containment.cpu_seconds(self.pid)
        self.kill()

    def _how_it_died(self, code: int, log: str) -> Ending | None:
        """The ending that the exit code means; None when the child had told everything."""
        if self._server is not None and code == 255 and self._is_server_gone():
            return Ending(Outcome.NOT_RUN, "the fork server was lost while this cell ran", lost=True)
        if self.account.done is not None:
            return None
        if code == -SIGXCPU:
            cpu_s = self.job.limits.cpu_s
            return Ending(Outcome.TIMEOUT, f"used more than {cpu_s:g} s of processor time; its stack is in the log")
        if code < 0:
            return self._killed_by(-code, log)
        message = f"exited with code {code} before it had reported"
        error = CellError(type="exit", message=message, fingerprint=errors_as_data.fingerprint("exit", str(code), ""))
        return Ending(Outcome.CRASH, message, error)

    def _killed_by(self, number: int, log: str) -> Ending:
        name = errors_as_data.signal_name(number)
        outcome, message = Outcome.CRASH, f"killed by {name}"
        if number == SIGKILL and containment.kernel_oom_kills() > self._kills:
            outcome, message = Outcome.OOM, "killed by the kernel for want of memory"
        elif number == SIGABRT and "std::bad_alloc" in log:
            outcome, message = Outcome.OOM, "an allocation failed in C++ (std::bad_alloc)"
        return Ending(outcome, message, errors_as_data.of_death(name, message, log))

    def _is_server_gone(self) -> bool:
        # The standard library says 255 both for a lost server and for a child that chose that code. A dying server
        # closes its pipes a moment before it counts as dead.
        return self._server is not None and containment.wait_for_exit(self._server, seconds=0.5)

    def _end_of_log(self) -> str:
        try:
            with self.log.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - STACK_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:  # a cell can delete its own log
            return ""
        if not end:
            self.log.unlink(missing_ok=True)
        return text
