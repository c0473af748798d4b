"""The folders of runs."""

import msgspec
import pytest

from modelmuster.errors import InfrastructureError, UnknownName, UsageError
from modelmuster.records import Plan
from modelmuster.runs import environment, folders


def plan(run_id):
    return Plan(run_id=run_id, created_at="2026-11-23T10:00:00+00:00", command="run", cells=())


def test_a_created_run_can_be_opened_and_read_back(home):
    here = environment.capture()
    folder = folders.create_run(home, plan("20261123-1"), here)
    found = folders.open_run(home, "20261123-1")
    assert found == folder
    assert found.read_plan() == plan("20261123-1")
    assert found.read_environment() == here
    assert found.logs.is_dir()


def test_the_latest_run_is_the_youngest(home):
    here = environment.capture()
    for run_id in ("20261123-1", "20261124-1", "20261122-9"):
        folders.create_run(home, plan(run_id), here)
    assert folders.latest_run(home).run_id == "20261124-1"
    assert folders.run_ids(home) == ["20261122-9", "20261123-1", "20261124-1"]


def test_without_any_run_the_latest_is_a_usage_error(home):
    with pytest.raises(UsageError, match="no run yet"):
        folders.latest_run(home)


@pytest.mark.parametrize("run_id", ["20261124-1", "../elsewhere", "", "."])
def test_a_run_that_does_not_exist_is_unknown(home, run_id):
    folders.create_run(home, plan("20261123-1"), environment.capture())
    with pytest.raises(UnknownName):
        folders.open_run(home, run_id)


def test_a_run_is_not_created_over_another(home):
    folders.create_run(home, plan("20261123-1"), environment.capture())
    with pytest.raises(UsageError, match="exists already"):
        folders.create_run(home, plan("20261123-1"), environment.capture())


def test_a_folder_without_a_plan_is_no_run(home):
    (home.runs / "20261123-1").mkdir(parents=True)
    assert folders.run_ids(home) == []


def test_a_damaged_plan_is_named(home):
    folder = folders.create_run(home, plan("20261123-1"), environment.capture())
    folder.plan.write_text("{")
    with pytest.raises(InfrastructureError, match=r"plan\.json"):
        folder.read_plan()


HOSTILE = ["../../etc/passwd", "a/b\\c:d", '<script>"x"</script>', "a\x00b\n", "ü" * 300, "", ".", "CON"]


@pytest.mark.parametrize("name", HOSTILE)
def test_log_names_stay_in_their_folder_whatever_a_model_is_called(name, make_cell, tmp_path):
    hostile = msgspec.structs.replace(make_cell(model_type=name), model_class=name, target=name)
    log = tmp_path / folders.log_name(hostile, 1)
    log.write_text("")
    assert [path.name for path in tmp_path.iterdir()] == [log.name]


def test_log_names_differ_for_cells_that_look_alike(make_cell):
    names = {folders.log_name(make_cell(model_type=name), 1) for name in ("a/b", "a-b", "a b", "A-b")}
    names.add(folders.log_name(make_cell(model_type="a/b"), 2))
    assert len(names) == 5
