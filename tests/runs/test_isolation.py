"""Real crashes in real processes: each becomes the outcome of its one cell, and its neighbours do not notice."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from modelmuster.errors import InfrastructureError
from modelmuster.records import DeviceKind, Outcome, Stage
from modelmuster.runs import forkserver
from modelmuster.runs.isolation import Supervisor


def outcomes(record):
    return [result.outcome for result in record.results]


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pids, seconds=10):
    deadline = time.monotonic() + seconds
    while not all(is_gone(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return all(is_gone(pid) for pid in pids)


def test_a_good_cell_is_recorded_with_all_that_was_observed(run_one):
    record = run_one("ok", "prints")
    assert outcomes(record) == [Outcome.PASS, Outcome.PASS]
    assert record.final
    assert not record.lost
    assert record.attempt == 1
    assert record.provenance.evidence.device_name == "toy abacus"
    assert record.provenance.evidence.device_kind is DeviceKind.HARDWARE
    assert record.provenance.device == "cpu"
    assert record.recipe.layout == "toy"
    assert record.measurement.duration_ms > 0
    assert record.measurement.cpu_ms > 0
    assert record.measurement.peak_rss_bytes > 1 << 20
    assert {"build", "load", "run", "compare"} <= set(record.stages_ms)
    assert "to stdout from Python\nto stderr from Python\nto stdout from C\n" in record.log_tail


CRASHES = [
    ("segv", Outcome.CRASH, "SIGSEGV"),
    ("abort", Outcome.CRASH, "SIGABRT"),
    ("exit7", Outcome.CRASH, "exited with code 7"),
    ("exit0", Outcome.CRASH, "exited with code 0"),
    ("exit255", Outcome.CRASH, "exited with code 255"),
    ("touch_memory", Outcome.OOM, "the limit is 256 MB"),
    ("garbage", Outcome.CRASH, "no message"),
]


@pytest.mark.parametrize(("check", "outcome", "words"), CRASHES)
def test_a_process_that_dies_loses_one_check_and_keeps_what_was_known(run_one, check, outcome, words):
    record = run_one("ok", check, "prints", memory_bytes=256 << 20)
    assert outcomes(record) == [Outcome.PASS, outcome, Outcome.NOT_RUN]
    assert words in record.results[1].message
    assert record.results[1].stage is Stage.RUN
    assert record.provenance.evidence is not None
    assert record.recipe is not None
    assert not record.lost


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        ("eat_memory", Outcome.OOM),
        ("unpicklable", Outcome.ERROR),
        ("raises", Outcome.ERROR),
        ("sys_exit", Outcome.ERROR),
        ("fails", Outcome.FAIL),
        ("big_result", Outcome.PASS),
    ],
)
def test_a_check_that_fails_cleanly_leaves_the_next_one_to_run(run_one, check, outcome):
    record = run_one("ok", check, "prints")
    assert outcomes(record) == [Outcome.PASS, outcome, Outcome.PASS]


def test_a_result_of_50_megabytes_arrives_whole(run_one):
    assert len(run_one("big_result").results[0].message) == 50_000_000


@pytest.mark.parametrize("check", ["hang_python", "hang_c"])
def test_a_hang_is_a_timeout_with_its_stack_even_if_the_signal_woke_it(run_one, check):
    record = run_one("ok", check, "prints", wall_s=1.0)
    assert outcomes(record) == [Outcome.PASS, Outcome.TIMEOUT, Outcome.NOT_RUN]
    assert "checks.py" in record.log_tail
    assert " in run" in record.log_tail
    assert "checks.py" in record.results[1].error.traceback
    assert record.results[1].stage is Stage.RUN


def test_a_cell_that_uses_up_its_processor_time_is_a_timeout_with_its_stack(run_one):
    record = run_one("ok", "spin", cpu_s=1.0)
    assert outcomes(record) == [Outcome.PASS, Outcome.TIMEOUT]
    assert "processor time" in record.results[1].message
    assert "checks.py" in record.log_tail


def test_a_crash_carries_its_python_stack(run_one):
    error = run_one("segv").results[0].error
    assert error.type == "SIGSEGV"
    assert "checks.py" in error.traceback
    assert run_one("segv").results[0].error.fingerprint == error.fingerprint
    assert run_one("abort").results[0].error.fingerprint != error.fingerprint


@pytest.mark.parametrize(("model_type", "stage"), [("segv-in-build", Stage.BUILD), ("segv-in-compile", Stage.COMPILE)])
def test_a_crash_before_the_checks_is_the_outcome_of_all_with_its_stage(run_one, model_type, stage):
    record = run_one("ok", "prints", model_type=model_type)
    assert [(result.outcome, result.stage) for result in record.results] == [(Outcome.CRASH, stage)] * 2


def test_a_crash_after_the_last_check_changes_no_result(run_one):
    assert outcomes(run_one("ok", "prints", model_type="dies-at-the-end")) == [Outcome.PASS, Outcome.PASS]


@pytest.mark.parametrize("check", ["leave_grandchild", "leave_daemon_and_die"])
def test_what_a_cell_leaves_behind_is_killed(run_one, toy_folder, check):
    run_one(check, model_type=check)
    pids = [int(pid) for pid in (toy_folder / f"grandchildren-{check}").read_text().split()]
    assert len(pids) == 3
    assert wait_until_gone(pids)


def test_neighbours_of_crashing_cells_do_not_notice(executor, job):
    checks = ["segv", "exit7", "touch_memory", "garbage", "leave_daemon_and_die", "abort"]
    jobs = []
    for number, check in enumerate(checks * 2):
        jobs.append(job(check, model_type=f"bad-{number}", memory_bytes=256 << 20))
        jobs.append(job("ok", "nap", model_type=f"good-{number}"))
    records = list(executor.run(jobs))
    assert sorted(record.cell.id for record in records) == sorted(one.cell.id for one in jobs)
    for record in records:
        good = record.cell.model_type.startswith("good")
        assert all((outcome is Outcome.PASS) == good for outcome in outcomes(record)), record


def test_a_cell_finds_clean_surroundings(run_one):
    figures = run_one("surroundings", cpu_s=17).results[0].figures
    assert figures == {
        "leader": True,
        "stdin_is_empty": True,
        "threads": 1,
        "offline": "1",
        "openmp": "1",
        "cpu_limit": 17,
        "torch": False,
        "pytest": False,
        "preload_variable": None,
    }


def test_a_target_that_cannot_live_in_a_fork_gets_a_new_interpreter(run_one):
    record = run_one("ok", "surroundings", "segv", "prints", target="toy:fresh")
    assert outcomes(record) == [Outcome.PASS, Outcome.PASS, Outcome.CRASH, Outcome.NOT_RUN]
    assert record.results[1].figures["leader"]
    assert not record.results[1].figures["pytest"]
    assert run_one("hang_c", target="toy:fresh", wall_s=3.0).results[0].outcome is Outcome.TIMEOUT


def test_threads_are_limited_in_a_new_interpreter_too(run_one):
    assert run_one("surroundings", target="toy:fresh", threads=2).results[0].figures["openmp"] == "2"


def test_a_resource_is_lent_to_one_cell_at_a_time(executor, job):
    jobs = [job("overlaps", model_type=f"m{number}", target="toy:lab") for number in range(4)]
    assert [outcomes(record) for record in executor.run(jobs)] == [[Outcome.PASS]] * 4


def test_without_its_resource_two_cells_do_overlap(executor, job):
    jobs = [job("overlaps", "nap", model_type=f"m{number}") for number in range(4)]
    found = [outcomes(record)[0] for record in executor.run(jobs)]
    assert Outcome.FAIL in found


def test_every_cell_keeps_its_output_apart(executor, job):
    jobs = [job("prints", model_type=name) for name in ("a/../../b", "c")]
    for record in executor.run(jobs):
        assert record.log_tail.count("from C") == 1
    logs = list(Path(jobs[0].log_dir).iterdir())
    assert len(logs) >= 2
    assert all(log.parent == Path(jobs[0].log_dir) for log in logs)


def test_a_cell_that_prints_nothing_leaves_no_log(run_one, job):
    run_one("ok")
    assert not [log for log in Path(job("ok").log_dir).iterdir() if log.name != "fork-server.log"]


def test_a_log_folder_that_cannot_be_made_is_an_infrastructure_error(executor, job, tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    with pytest.raises(InfrastructureError, match="cannot write the log"):
        list(executor.run([job("ok")]))


def test_a_server_that_cannot_start_is_an_infrastructure_error(job, monkeypatch):
    monkeypatch.setitem(forkserver.CHILD_ENVIRONMENT, "PYTHONHOME", "/nowhere")
    forkserver.server.stop()
    try:
        with pytest.raises(InfrastructureError, match="no process can be started"):
            list(Supervisor(slots=1).run([job("ok")]))
    finally:
        forkserver.server.stop()


def test_giving_up_in_the_middle_kills_what_runs(job):
    supervisor = Supervisor(slots=2)
    records = supervisor.run([job("ok", model_type="first"), job("hang_python", model_type="second")])
    next(records)
    [pid] = [attempt.pid for attempt in supervisor._live]
    assert not is_gone(pid)
    assert len(supervisor.running()) == 1
    records.close()
    assert supervisor.running() == {}
    assert wait_until_gone([pid])


def test_the_supervisor_imports_neither_torch_nor_transformers(tmp_path):
    code = """
import sys
from modelmuster.contracts import Job, Limits
from modelmuster.records import Cell, Family
from modelmuster.runs.executors.local import LocalExecutor
executor = LocalExecutor(slots=1)
cell = Cell(model_type="toy", model_class="Toy", family=Family.OTHER, target="toy:cpu", checks=("ok",))
[record] = executor.run([Job("r", cell, Limits(), sys.argv[1])])
executor.close()
assert record.results[0].outcome == "pass", record
print([name for name in ("torch", "transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
    assert [left.name for left in tmp_path.iterdir()] == ["fork-server.log"]
