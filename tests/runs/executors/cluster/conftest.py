"""A real cluster on this machine: a head and a second machine, each started by `muster worker` with toy targets."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from modelmuster.errors import MusterError
from modelmuster.runs.executors.cluster.executor import RayExecutor


class Machines:
    """Starts and ends machines of one cluster."""

    def __init__(self, folder):
        self.folder, self.port, self.started = folder, free_port(), []
        self.address, self.token = f"127.0.0.1:{self.port}", folder / "token"

    def start(self, *options):
        """Start a machine, the head first; it is part of the cluster when this returns."""
        place = ["--address", self.address] if self.started else ["--head", "--port", str(self.port)]
        command = [sys.executable, "-m", "modelmuster", "worker", *place, "--token-file", str(self.token), *options]
        log = (self.folder / f"machine-{len(self.started)}.log").open("wb")
        # Ray notices in twenty seconds that a machine is silent, instead of in a minute.
        sooner = {"RAY_health_check_period_ms": "1000", "RAY_health_check_failure_threshold": "2"}
        environment = {**os.environ, "RAY_TMPDIR": str(self.folder), **sooner}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self.started.append(process)
        return process

    def stop(self):
        for process in self.started:
            self.kill(process)

    @staticmethod
    def kill(process):
        """SIGKILL for everything that belongs to the machine, as if its power had failed."""
        try:
            tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for member in tree:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(autouse=True)
def _with_ray():
    # Not imported here: Ray reads its variables at its import, and the token is not there yet.
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the executor of several machines needs the extra [ray]")


@pytest.fixture(scope="session")
def machines(toy_folder):
    """A cluster whose head has two slots for `toy:cpu`."""
    # Ray puts sockets below this folder, and the path of a socket has at most 107 characters: pytest's are too long.
    folder = tempfile.mkdtemp(prefix="muster-")
    made = Machines(Path(folder))
    made.start("--slots", "2", "--target", "toy:cpu")
    before = os.environ.get("RAY_AUTH_TOKEN_PATH")
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(made.token)
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ["RAY_AUTH_TOKEN_PATH"]
    if before is not None:
        os.environ["RAY_AUTH_TOKEN_PATH"] = before


@pytest.fixture
def joined(machines):
    """An executor that has joined the cluster."""
    with joining(machines) as executor:
        yield executor


@contextmanager
def joining(machines):
    executor = RayExecutor()
    executor.address = machines.address
    deadline = time.monotonic() + 90
    while True:
        try:
            executor.connect()
            break
        except MusterError:
            executor.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
    yield executor
    executor.close()
