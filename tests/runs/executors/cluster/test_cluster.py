"""Cells on a real Ray cluster end as they do on one machine, and the loss of a worker or a machine costs no cell."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from modelmuster.records import Outcome
from modelmuster.runs import folders, journal


def by_name(records):
    return {record.cell.model_type: record for record in records if not record.lost}


def outcomes(record):
    return [result.outcome for result in record.results]


def test_each_cell_ends_as_on_one_machine_and_says_where_it_ran(joined, executor, job):
    checks = ["ok", "fails", "raises", "segv", "exit7", "prints"]
    jobs = [job(check, model_type=check) for check in checks]
    jobs.append(job("hang_python", model_type="hang", wall_s=2.0))
    jobs.append(job("touch_memory", model_type="memory", memory_bytes=100 << 20))
    here, there = by_name(executor.run(jobs)), by_name(joined.run(jobs))
    assert {name: outcomes(record) for name, record in there.items()} == {
        name: outcomes(record) for name, record in here.items()
    }
    [machine] = joined.environments()
    assert all(record.worker.startswith(f"{machine}:") for record in there.values())
    assert there["hang"].results[0].outcome is Outcome.TIMEOUT


def test_what_a_cell_printed_comes_back(joined, job):
    [record] = joined.run([job("prints", model_type="talker")])
    [log] = Path(job("prints").log_dir).iterdir()
    assert record.log_tail
    assert log.read_text() == record.log_tail


def test_what_no_machine_has_is_unavailable_before_anything_runs(joined):
    found = joined.probes(["toy:cpu", "toy:gpu"])
    assert found["toy:cpu"].available
    assert not found["toy:gpu"].available
    assert "no machine of the cluster" in found["toy:gpu"].reason
    assert "muster worker" in found["toy:gpu"].remedy


def test_a_killed_worker_costs_its_cell_a_second_attempt_and_nothing_else(joined, job):
    jobs = [job("hang_python", model_type="victim", wall_s=6.0)]
    jobs += [job("nap", model_type=f"m{number}") for number in range(12)]
    told, killed = [], False
    for record in joined.run(jobs):
        told.append(record)
        place = next((place for cell, place in joined.progress().places.items() if cell.startswith("victim")), "")
        if place and not killed:
            os.kill(int(place.rpartition(":")[2]), signal.SIGKILL)
            killed = True
    assert killed
    finals = {record.cell.model_type: record for record in told if not record.lost}
    assert Counter(record.cell.model_type for record in told if not record.lost) == Counter(dict.fromkeys(finals, 1))
    assert len(finals) == 13
    [lost] = [record for record in told if record.lost]
    assert (lost.cell.model_type, outcomes(lost)) == ("victim", [Outcome.NOT_RUN])
    assert (finals.pop("victim").attempt, {o for r in finals.values() for o in outcomes(r)}) == (2, {Outcome.PASS})


def test_no_process_of_a_killed_worker_stays(joined, job):
    jobs = [job("hang_python", model_type="long", wall_s=60.0)]
    records = joined.run([*jobs, job("ok", model_type="quick")])
    next(records)
    [place] = [place for cell, place in joined.progress().places.items() if cell.startswith("long")]
    worker = psutil.Process(int(place.rpartition(":")[2]))
    below = worker.children(recursive=True)
    assert below
    records.close()
    worker.kill()
    deadline = time.monotonic() + 20
    while any(process.is_running() for process in below) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in below)


def test_a_machine_that_joins_late_gets_work_and_one_that_dies_loses_none(joined, machines, job):
    second = None
    jobs = [job("nap", model_type=f"m{number}") for number in range(400)]
    told, places = [], set()
    for record in joined.run(jobs):
        told.append(record)
        places.add(record.worker.rpartition(":")[0])
        if second is None:
            second = machines.start("--slots", "2", "--target", "toy:cpu")
        if len(places - {""}) == 2 and second.poll() is None:
            machines.kill(second)
    assert len(places - {""}) == 2, "the second machine never got work"
    assert second.poll() is not None, "the second machine was never killed"
    finals = Counter(record.cell.model_type for record in told if not record.lost)
    assert finals == Counter({job.cell.model_type: 1 for job in jobs})


def test_a_machine_that_falls_silent_loses_no_cell(joined, machines, job):
    """Stopped processes keep their connections and answer nothing, as behind a cut cable: Ray never ends its tasks."""
    [first] = [node.name for node in joined.progress().nodes if node.alive]
    second, stopped, told = None, [], []
    jobs = [job("nap", model_type=f"m{number}") for number in range(300)]
    for record in joined.run(jobs):
        told.append(record)
        second = second or machines.start("--slots", "2", "--target", "toy:cpu")
        busy = {place.rpartition(":")[0] for place in joined.progress().places.values()}
        if busy - {first} and not stopped:
            stopped = [psutil.Process(second.pid), *psutil.Process(second.pid).children(recursive=True)]
            for process in stopped:
                process.suspend()
    machines.kill(second)
    assert stopped, "the second machine never got work"
    assert any(record.lost for record in told)
    finals = Counter(record.cell.model_type for record in told if not record.lost)
    assert finals == Counter({job.cell.model_type: 1 for job in jobs})


@pytest.mark.parametrize("said", [b"\x80\x04\x95", b"{}", {"record": 1}, None])
def test_what_a_worker_sends_is_a_record_or_nothing(said):
    import msgspec

    from modelmuster.runs.executors.cluster import task

    with pytest.raises(msgspec.DecodeError):
        task.decode(said)


def test_the_status_names_machines_and_workers(joined, job):
    records = joined.run([job("ok", model_type="a"), job("nap", model_type="b")])
    next(records)
    progress = joined.progress()
    assert [node.targets for node in progress.nodes if node.alive] == [("toy:cpu",)]
    assert json.dumps(dict(progress.places))
    list(records)


def test_a_killed_driver_s_run_is_finished_by_resuming(machines, joined, home):
    """`joined` proves that the cluster is up; the drivers join it by themselves."""
    common = ["--executor", "ray", "--address", machines.address, "--no-progress"]

    def muster(*arguments):
        command = [sys.executable, "-m", "modelmuster", "run", *arguments, *common]
        return subprocess.Popen(command, env={**os.environ, "MUSTER_HOME": str(home.root)}, stderr=subprocess.PIPE)

    driver = muster("--limit", "30", "--target", "toy:cpu", "--check", "nap")
    deadline = time.monotonic() + 60
    while not (home.runs.exists() and folders.run_ids(home) and recorded(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.kill()
    driver.communicate()
    before = recorded(home)
    assert 0 < sum(before.values()) < 30
    second = muster("--resume")
    _, errors = second.communicate(timeout=120)
    assert second.returncode == 0, errors
    planned = Counter(cell.id for cell in folders.latest_run(home).read_plan().cells)
    assert recorded(home) == planned


def recorded(home):
    records = journal.read_lenient(folders.latest_run(home).journal).records
    return Counter(record.cell.id for record in records if record.final)


def test_cells_under_pytest_run_where_the_cluster_is(machines, joined, home, tmp_path):
    [machine] = joined.environments()
    command = [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--muster", "--muster-target", "toy:cpu"),
        *(
            "--muster-executor",
            "ray",
            "--muster-address",
            machines.address,
            "-k",
            "BertForMaskedLM and (prints or fails)",
        ),
    ]
    environment = {**os.environ, "MUSTER_HOME": str(home.root)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    records = journal.read_lenient(folders.latest_run(home).journal).records
    assert records
    assert {record.worker.rpartition(":")[0] for record in records} == {machine}
    assert {result.check for record in records for result in record.results} == {"prints", "fails"}
