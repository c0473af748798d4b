"""What a fault costs a run on several machines: each is made on purpose, and the journal is counted afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.cluster.machines import PORT, Machine, machines, ray_workers, wait_until
from modelmuster.records import CellRecord
from modelmuster.runs import folders, journal
from modelmuster.settings import Home

ARCHITECTURES = 100
LONGEST_S = 400.0


class Scene:
    """A head, a second machine, and a driver on the head's machine."""

    def __init__(self, made: list[Machine], home: Home) -> None:
        self.head, self.second = made
        self.home = home

    def cluster(self) -> None:
        """Bring the head up; the second machine joins when a fault asks for it."""
        self.head.join(self.head)
        wait_until("the head", self._answers)

    def drive(self, *options: str) -> None:
        """Start the run, or resume it."""
        chosen = options or ("--limit", str(ARCHITECTURES), "--target", "torch:cpu", "--check", "forward")
        self.head.start(
            *("run", *chosen, "--executor", "ray", "--address", f"{self.head.address}:{PORT}", "--no-progress")
        )

    def records(self) -> list[CellRecord]:
        """The journal as it is now."""
        if not self.home.runs.exists() or not folders.run_ids(self.home):
            return []
        return list(journal.read_lenient(folders.latest_run(self.home).journal).records)

    def _answers(self) -> bool:
        probe = f"import socket; socket.create_connection(('{self.head.address}', {PORT}), 1)"
        command = ["ip", "netns", "exec", self.head.name, sys.executable, "-c", probe]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Print the table: what was done, what was lost, how long the run took to go on."""
    if os.geteuid() != 0:
        print("cluster faults: network namespaces need root; not run")
        return
    for fault in (worker_killed, machine_killed, machine_joins_late, link_cut, driver_killed, head_killed):
        _play(fault)


def worker_killed(scene: Scene) -> float:
    """Kill -9 of a process that runs cells."""
    victim = ray_workers(scene.second)[0]
    victim.kill()
    return _next_record(scene)


def machine_killed(scene: Scene) -> float:
    """Kill -9 of everything on the second machine."""
    scene.second.kill()
    return _next_record(scene)


def machine_joins_late(scene: Scene) -> float:
    """The second machine leaves, and joins again while the run goes on."""
    scene.second.kill()
    scene.second.join(scene.head)
    return wait_until("work for the one that joined", lambda: bool(ray_workers(scene.second)))


def link_cut(scene: Scene) -> float:
    """The second machine's cable is pulled and not plugged in again."""
    scene.second.link("down")
    return _next_record(scene)


def driver_killed(scene: Scene) -> float:
    """Kill -9 of `muster run`, then `--resume`."""
    driver = scene.head.processes[-1]
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    began = time.monotonic()
    scene.drive("--resume")
    return time.monotonic() - began + _next_record(scene)


def head_killed(scene: Scene) -> float:
    """Kill -9 of everything on the head's machine, the driver too; both machines start anew, then `--resume`."""
    scene.head.kill()
    scene.second.kill()
    began = time.monotonic()
    scene.cluster()
    scene.second.join(scene.head)
    scene.drive("--resume")
    return time.monotonic() - began + _next_record(scene)


def _play(fault: Callable[[Scene], float]) -> None:
    with tempfile.TemporaryDirectory(prefix="m", dir="/tmp") as folder, machines(2, Path(folder)) as made:
        home = Home(Path(folder) / "home")
        home.create()
        scene = Scene(made, home)
        scene.cluster()
        scene.second.join(scene.head)
        scene.drive()
        wait_until("work on the second machine", lambda: bool(ray_workers(scene.second)))
        wait_until("some records", lambda: len(scene.records()) > 10)
        recovered = fault(scene)
        driver = made[0].processes[-1]
        driver.wait(timeout=LONGEST_S)
        records = list(journal.read(folders.latest_run(home).journal))
        planned = {cell.id for cell in folders.latest_run(home).read_plan().cells}
        finals = Counter(record.cell.id for record in records if record.final)
        lost = sum(record.lost for record in records)
        twice = sum(count > 1 for count in finals.values())
        print(
            f"{fault.__name__:20} {fault.__doc__.strip() if fault.__doc__ else ''}\n"
            f"{'':20} {len(finals)} of {len(planned)} cells recorded, {twice} twice, {len(planned - set(finals))} "
            f"missing; {lost} attempts lost and repeated; the next record came after {recovered:.1f} s",
            flush=True,
        )


def _next_record(scene: Scene) -> float:
    before = len(scene.records())
    return wait_until("another record", lambda: len(scene.records()) > before, LONGEST_S)
