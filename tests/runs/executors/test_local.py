"""The local executor: one record per job, whatever happens to the fork server."""

from modelmuster import plugins
from modelmuster.records import Outcome
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.runs.executors.losses import LOST_RETRIES


def test_it_is_registered_under_its_name():
    assert isinstance(plugins.executors().get("local"), LocalExecutor)


def test_by_default_it_uses_every_usable_core():
    from modelmuster.runs.environment import usable_cores

    assert LocalExecutor().slots == usable_cores()
    assert LocalExecutor(slots=7).slots == 7


def test_no_jobs_give_no_records(executor):
    assert list(executor.run([])) == []


def test_a_server_killed_once_costs_its_cells_a_second_attempt_and_nothing_else(executor, job):
    jobs = [job("ok", "nap", model_type=f"m{number}") for number in range(6)]
    jobs.insert(2, job("ok", "kill_server", model_type="once"))
    told = list(executor.run(jobs))
    records = {record.cell.model_type: record for record in told if not record.lost}
    assert len(records) == 7
    assert [record.attempt for record in told if record.cell.model_type == "once"] == [1, 2]
    assert {result.outcome for record in records.values() for result in record.results} == {Outcome.PASS}
    assert records["once"].attempt == 2


def test_a_cell_that_takes_its_server_down_each_time_is_a_crash_and_harms_nobody(executor, job):
    jobs = [job("ok", "nap", model_type=f"m{number}") for number in range(4)]
    jobs.insert(1, job("ok", "kill_server", "prints", model_type="killer"))
    told = list(executor.run(jobs))
    records = {record.cell.model_type: record for record in told if not record.lost}
    killer = records.pop("killer")
    attempts = [record for record in told if record.cell.model_type == "killer"]
    assert [record.lost for record in attempts] == [True] * (1 + LOST_RETRIES) + [False]
    assert attempts[-1] is killer
    assert [result.outcome for result in killer.results] == [Outcome.PASS, Outcome.CRASH, Outcome.CRASH]
    assert {result.outcome for record in records.values() for result in record.results} == {Outcome.PASS}


def test_it_says_what_is_running(executor, job):
    records = executor.run([job("ok", model_type="quick"), job("hang_python", model_type="slow", wall_s=1.0)])
    assert next(records).cell.model_type == "quick"
    [running] = executor.progress().running
    assert running.startswith("slow|")
    list(records)
    assert executor.progress().running == {}


def test_it_can_be_used_again_after_it_was_closed(job, toy_folder):
    executor = LocalExecutor(slots=1)
    for _ in range(2):
        [record] = executor.run([job("ok")])
        assert record.results[0].outcome is Outcome.PASS
        executor.close()
