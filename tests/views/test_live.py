"""Runs that go on, looked at again and again."""

import msgspec
import pytest

from modelmuster.records import Inference, Outcome
from modelmuster.runs.status import RunStatus
from modelmuster.settings import Home
from modelmuster.views.live import LiveRuns
from run_folders import append, make_cell, make_record, write_run

CELLS = [make_cell(name) for name in ("bert", "vit", "gpt2", "llama")]


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def looked(folder, recorded, at, *, ended=False):
    status = RunStatus(
        run_id="going", host="box", pid=1, updated_at=at, planned=len(CELLS), recorded=recorded, ended=ended
    )
    (folder / "status.json").write_bytes(msgspec.json.encode(status))


def begun(cell, minute, outcomes=(Outcome.PASS, Outcome.FAIL)):
    record = make_record("going", cell, outcomes)
    return msgspec.structs.replace(record, started_at=f"2026-03-01T10:{minute:02d}:00+00:00")


def test_what_was_written_since_is_added_to_what_was_read(home):
    folder = write_run(home, "going", CELLS, [begun(CELLS[0], 0)])
    looked(folder, 1, "2026-03-01T10:01:00+00:00")
    runs = LiveRuns(home)
    [first] = runs.look()
    assert (first.decided["torch:cpu"], first.tallies["torch:cpu"].planned) == (1, 2)
    assert (first.cells_per_minute, first.minutes_left) == (None, None)
    append(folder, [begun(CELLS[1], 1), msgspec.structs.replace(begun(CELLS[2], 2), final=False)])
    looked(folder, 2, "2026-03-01T10:04:00+00:00")
    [then] = runs.look()
    assert (then.decided["torch:cpu"], then.tallies["torch:cpu"].planned) == (2, 4)
    assert [finding.cell_id for finding in then.findings] == [CELLS[1].id, CELLS[0].id]
    assert (then.cells_per_minute, then.minutes_left) == (0.5, 4.0)
    assert runs.look() == [then]
    looked(folder, 4, "2026-03-01T10:09:00+00:00", ended=True)
    assert runs.look() == []


def test_a_run_without_a_plan_yet_is_left_out_until_it_has_one(home):
    folder = write_run(home, "going", CELLS)
    plan = (folder / "plan.json").read_bytes()
    (folder / "plan.json").unlink()
    looked(folder, 0, "2026-03-01T10:01:00+00:00")
    runs = LiveRuns(home)
    assert runs.look() == []
    (folder / "plan.json").write_bytes(plan)
    assert [one.run_id for one in runs.look()] == ["going"]


def test_mock_results_are_counted_apart_and_are_no_findings(home):
    cell = make_cell("bert", "mock")
    folder = write_run(
        home, "going", [cell], [make_record("going", cell, [Outcome.NOT_RUN] * 2, inference=Inference.MOCK)]
    )
    looked(folder, 1, "2026-03-01T10:01:00+00:00")
    [one] = LiveRuns(home).look()
    assert (one.tallies["mock"].planned, one.tallies["mock"].mock) == (0, 2)
    assert one.findings == ()
