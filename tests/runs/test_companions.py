"""A process that serves one cell after another: kept while all goes well, ended with what may have harmed it."""

import psutil
import pytest

from modelmuster.records import Outcome
from modelmuster.runs import companions
from modelmuster.runs.forkserver import server


@pytest.fixture
def served(executor, job):
    """Runs cells of the hall, one at a time; gives the record of each, and process and count of its doorkeeper."""

    def run(*jobs):
        executor.slots = 1
        try:
            records = list(executor.run([job(*each[1:], model_type=each[0], target="toy:hall") for each in jobs]))
        finally:
            executor.slots = 2
        return [(record, *_doorkeeper(record)) for record in records]

    return run


def _doorkeeper(record):
    evidence = record.provenance.evidence
    return map(int, evidence.device_name.split()) if evidence else (None, None)


def living_below_the_server():
    return [child for child in psutil.Process(server.pid).children() if child.status() != psutil.STATUS_ZOMBIE]


def test_cells_share_it_one_after_another_and_it_ends_with_them(served):
    found = served(("a", "ok"), ("b", "ok"), ("c", "ok"))
    assert [count for _, _, count in found] == [1, 2, 3]
    assert len({pid for _, pid, _ in found}) == 1
    assert living_below_the_server() == []


def test_each_run_has_one_of_its_own(served):
    [(_, first, _)], [(_, second, count)] = served(("a", "ok")), served(("a", "ok"))
    assert (first != second, count) == (True, 1)


@pytest.mark.parametrize("check", ["segv", "hang_python", "touch_memory"])
def test_it_does_not_outlive_a_cell_that_may_have_harmed_it(executor, job, check):
    jobs = [job("ok", check, model_type="a", target="toy:hall", wall_s=3.0, memory_bytes=256 << 20)]
    jobs += [job("ok", model_type="b", target="toy:hall")]
    executor.slots = 1
    try:
        first, second = executor.run(jobs)
    finally:
        executor.slots = 2
    assert [result.outcome for result in second.results] == [Outcome.PASS]
    (_, harmed), (_, fresh) = _doorkeeper(first), _doorkeeper(second)
    assert (harmed, fresh) == (1, 1)


def test_a_failed_check_does_not_end_it(served):
    assert [count for _, _, count in served(("a", "ok", "fails"), ("b", "ok", "raises"), ("c", "ok"))] == [1, 2, 3]


def test_its_death_is_the_outcome_of_the_cell_that_it_was_with(served):
    found = served(("doorkeeper-dies", "ok"), ("b", "ok"))
    assert found[0][0].results[0].outcome is Outcome.ERROR
    assert found[1][2] == 1


def test_it_is_renewed_after_so_many_cells(served, monkeypatch):
    monkeypatch.setattr(companions, "CELLS", 2)
    assert [count for _, _, count in served(("a", "ok"), ("b", "ok"), ("c", "ok"))] == [1, 2, 1]


def test_cells_side_by_side_have_one_each(executor, job):
    records = list(executor.run([job("ok", "nap", model_type=name, target="toy:hall") for name in ("a", "b")]))
    assert len({record.provenance.evidence.device_name for record in records}) == 2
