"""Runs that are stopped from outside: what was done is kept, what was missing is done later, nothing stays behind."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import psutil
import pytest

from modelmuster.runs import folders, journal

PROGRAM = """
import sys
from pathlib import Path
from modelmuster.contracts import Limits
from modelmuster.errors import MusterError
from modelmuster.records import Architecture, Family, ModelClass
from modelmuster.runs import folders, runner
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.runs.plan import make_plan
from modelmuster.settings import Home

home, mode, checks, count = Home(Path(sys.argv[1])), sys.argv[2], sys.argv[3].split(","), int(sys.argv[4])
toys = [
    Architecture(model_type=f"m{n}", config_class="C", module="m", family=Family.OTHER, top_level=True,
                 model_classes=(ModelClass(name="Toy"),), default_class="Toy")
    for n in range(count)
]
plan = folders.latest_run(home).read_plan() if mode == "resume" else make_plan(toys, targets=["toy:cpu"], checks=checks)

def said(record):
    print(record.cell.model_type, flush=True)

try:
    summary = runner.run(plan, LocalExecutor(slots=2), home, resume=mode == "resume", found={}, on_record=said,
                         limits=Limits(wall_s=60.0, cpu_s=60.0, memory_bytes=512 << 20))
except MusterError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
except KeyboardInterrupt:
    sys.exit(131)
sys.exit(130 if summary.interrupted else 0)
"""


@pytest.fixture
def start(home, toy_folder):
    """Start a run in a process of its own; it prints a line per record."""
    started = []

    def go(mode, *checks, count=1, **options):
        command = [sys.executable, "-c", PROGRAM, str(home.root), mode, ",".join(checks), str(count)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options
        )
        started.append(process)
        return process

    yield go
    for process in started:
        process.kill()
        process.communicate()


def below(process):
    """Every process below it, once a cell is running beside the resource tracker and the fork server."""
    deadline = time.monotonic() + 60
    found = []
    while len(found) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(process.pid).children(recursive=True)
    assert len(found) >= 3
    return found


def is_gone(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def assert_gone(processes):
    deadline = time.monotonic() + 20
    while (left := [process for process in processes if not is_gone(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []


def finals(home):
    folder = folders.latest_run(home)
    found = Counter(record.cell.id for record in journal.read(folder.journal) if record.final)
    return found, Counter(cell.id for cell in folder.read_plan().cells)


def test_killed_at_any_moment_a_run_is_finished_by_resuming(home, start):
    """Five times: kill -9 after a random number of records and a random moment more, then resume."""
    chance = random.Random(20261123)
    process = start("new", "ok", "prints", "fails", count=30)
    for _ in range(5):
        for _ in range(chance.randrange(1, 5)):
            if not process.stdout.readline():
                break
        time.sleep(chance.uniform(0, 0.05))
        running = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        process.communicate()
        assert_gone(running)
        found, _ = finals(home)
        assert not [cell for cell, count in found.items() if count > 1]
        process = start("resume", "-")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found, planned = finals(home)
    assert found == planned


def test_when_the_supervisor_is_killed_its_server_its_cells_and_their_children_go_too(start, toy_folder):
    process = start("new", "leave_grandchild", "hang_c", count=2)
    processes = below(process)
    deadline = time.monotonic() + 30
    marks = [toy_folder / f"grandchildren-m{number}" for number in range(2)]
    while not all(mark.exists() and mark.read_text() for mark in marks) and time.monotonic() < deadline:
        time.sleep(0.02)
    processes = psutil.Process(process.pid).children(recursive=True)
    assert len(processes) >= 2 + 2 * 4, "resource tracker, server, and two cells with three children each"
    process.kill()
    assert_gone(processes)
    for mark in marks:
        mark.unlink()


def test_one_interruption_keeps_what_is_done_and_says_so(home, start):
    process = start("new", "nap", count=16)
    process.stdout.readline()
    running = below(process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert_gone(running)
    found, planned = finals(home)
    assert 1 <= len(found) < len(planned)
    process = start("resume", "-")
    process.communicate(timeout=120)
    found, planned = finals(home)
    assert found == planned


def test_an_interruption_while_the_server_starts_ends_the_run_cleanly(home, start):
    process = start("new", "ok", count=2)
    while not (home.runs.exists() and folders.run_ids(home)):
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors


def test_a_second_run_in_the_same_home_is_refused_while_the_first_lives(home, start):
    first = start("new", "nap", count=30)
    first.stdout.readline()
    second = start("new", "ok", count=1)
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"the process {first.pid} (run {folders.latest_run(home).run_id})" in errors
    assert len(folders.run_ids(home)) == 1


def test_a_full_disk_stops_the_run_and_loses_nothing(home, start):
    limit = 40_000

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    process = start("new", "ok", count=60, preexec_fn=small_disk)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 3, errors
    assert "cannot write the journal" in errors
    assert "--resume" in errors
    path = folders.latest_run(home).journal
    assert 0 < path.stat().st_size <= limit
    assert all(json.loads(line) for line in path.read_bytes().splitlines())
    process = start("resume", "-")
    process.communicate(timeout=120)
    found, planned = finals(home)
    assert found == planned
