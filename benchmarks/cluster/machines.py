"""Machines of a cluster on one host: network namespaces joined by a bridge, each with a `muster worker`. Needs root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

NETWORK = "10.177.0"
PORT = 6379
JOIN_S = 120.0


@dataclass
class Machine:
    """A namespace with what runs in it."""

    number: int
    folder: Path
    variables: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The namespace's name."""
        return f"muster{self.number}"

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        return f"{NETWORK}.{self.number + 1}"

    def start(self, *command: str, **variables: str) -> subprocess.Popen[bytes]:
        """Run a `muster` command in the namespace."""
        log = (self.folder / f"{self.name}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-m", "modelmuster", *command],
            stdout=log,
            stderr=log,
            env={**os.environ, **self.variables, **variables},
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def join(self, head: Machine, *, slots: int = 1, **variables: str) -> None:
        """Become part of the cluster whose head is that machine, which may be this one."""
        place = ["--head", "--port", str(PORT)] if head is self else ["--address", f"{head.address}:{PORT}"]
        self.start(
            *("worker", *place, "--bind", self.address, "--slots", str(slots), "--target", "torch:cpu"),
            *("--token-file", str(self.folder / "token")),
            **variables,
        )

    def kill(self) -> None:
        """SIGKILL for everything that runs in the namespace, as if its power had failed."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        for pid in listed.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes.clear()

    def link(self, state: str) -> None:
        """Cut (`down`) or mend (`up`) its cable."""
        _ip("link", "set", f"{self.name}b", state)


@contextmanager
def machines(count: int, folder: Path) -> Iterator[list[Machine]]:
    """So many machines, joined by a bridge; everything is taken away at the end."""
    variables = {"RAY_AUTH_TOKEN_PATH": str(folder / "token"), "MUSTER_HOME": str(folder / "home")}
    made = [Machine(number, folder, {**variables, "RAY_TMPDIR": str(folder / f"r{number}")}) for number in range(count)]
    _remove(made)
    try:
        _ip("link", "add", "muster", "type", "bridge")
        _ip("link", "set", "muster", "up")
        for machine in made:
            _ip("netns", "add", machine.name)
            _ip("link", "add", f"{machine.name}b", "type", "veth", "peer", "name", "eth0", "netns", machine.name)
            _ip("link", "set", f"{machine.name}b", "master", "muster")
            _ip("link", "set", f"{machine.name}b", "up")
            _ip("-n", machine.name, "addr", "add", f"{machine.address}/24", "dev", "eth0")
            _ip("-n", machine.name, "link", "set", "eth0", "up")
            _ip("-n", machine.name, "link", "set", "lo", "up")
        yield made
    finally:
        for machine in made:
            machine.kill()
        _remove(made)


def ray_workers(machine: Machine) -> list[psutil.Process]:
    """The processes of Ray that run cells in a namespace."""
    listed = subprocess.run(["ip", "netns", "pids", machine.name], capture_output=True, text=True, check=False)
    found = []
    for pid in listed.stdout.split():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(pid))
            if process.name().startswith("ray::") and process.children():
                found.append(process)
    return found


def wait_until(what: str, happens: Callable[[], object], seconds: float = JOIN_S) -> float:
    """Seconds until a condition holds."""
    began = time.monotonic()
    while not happens():
        if time.monotonic() > began + seconds:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began


def _remove(made: list[Machine]) -> None:
    for machine in made:
        subprocess.run(["ip", "netns", "del", machine.name], capture_output=True, check=False)
        # A namespace that a process still lives in stays, unseen, and so does the cable to it.
        subprocess.run(["ip", "link", "del", f"{machine.name}b"], capture_output=True, check=False)
    subprocess.run(["ip", "link", "del", "muster"], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
