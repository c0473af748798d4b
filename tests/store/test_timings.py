"""Measurements in the store: beside the results of their run, and in a store that an older version made."""

import duckdb
import msgspec
import pytest

from modelmuster import store
from modelmuster.history.timings import timings
from modelmuster.records import MEASURE, Cell, CellRecord, Inference, Outcome, Plan, Result
from modelmuster.store import schema
from run_folders import make_cell, make_record, make_timing, write_run


def measured(run_id, name="bert", *, inference=Inference.REAL, median_ms=5.0, **asked):
    cell = make_cell(name, checks=(MEASURE,), **asked)
    result = Result(check=MEASURE, outcome=Outcome.PASS, timing=make_timing(median_ms=median_ms))
    return cell, make_record(run_id, cell, results=[result], inference=inference)


def rows(home):
    with store.reader(home) as reader:
        return timings(reader)


def test_a_timing_comes_out_as_it_went_in(home):
    cell, record = measured("run-1", batch=4, sequence=16, attention="eager")
    write_run(home, "run-1", [cell], [record])
    [row] = rows(home)
    timing = record.results[0].timing
    for name in msgspec.structs.asdict(timing):
        assert getattr(row, name) == getattr(timing, name), name
    assert (row.asked_batch, row.sequence, row.attention) == (4, 16, "eager")
    assert row.reproduce.endswith("--batch 4 --sequence 16 --attention eager --threads 2")


def test_the_latest_of_its_kind_stands_and_other_kinds_beside_it(home):
    for run_id, day, median_ms, asked in [("a", 1, 5.0, {}), ("b", 2, 6.0, {}), ("c", 3, 7.0, {"batch": 8})]:
        cell, record = measured(run_id, median_ms=median_ms, **asked)
        write_run(home, run_id, [cell], [record], created_at=f"2026-03-0{day}T09:00:00+00:00")
    assert [row.median_ms for row in rows(home)] == [6.0, 7.0]


def test_mock_inference_leaves_no_timing(home):
    cell, record = measured("run-1", inference=Inference.MOCK)
    write_run(home, "run-1", [cell], [record])
    assert rows(home) == []


def test_sizes_make_cells_of_their_own():
    ids = {
        measured("r", **asked)[0].id
        for asked in ({}, {"batch": 2}, {"batch": 3}, {"sequence": 2}, {"attention": "sdpa"})
    }
    assert len(ids) == 5


def test_a_store_of_the_first_version_is_brought_up_to_date(home, monkeypatch):
    """A user's store from before: its results stay, and measurements find their table."""
    home.create()
    with monkeypatch.context() as older:
        first = schema.migrations()[:1]
        older.setattr(schema, "migrations", lambda: first)
        schema.open_for_writing(home.store).close()
    cell, record = measured("run-1")
    write_run(home, "run-1", [cell], [record])
    write_run(home, "run-2", [make_cell("vit")])
    store.ingest(home)
    with duckdb.connect(str(home.store)) as connection:
        assert schema.version_of(connection) == schema.newest_version()
    assert len(rows(home)) == 1


@pytest.mark.parametrize("kind", [Cell, CellRecord, Plan])
def test_records_of_before_are_read(kind):
    """Lines as the first version wrote them: without the fields that came later."""
    cell = make_cell("bert")
    whole = {
        Cell: cell,
        CellRecord: make_record("run-1", cell),
        Plan: Plan(run_id="run-1", created_at="", command="", cells=(cell,)),
    }[kind]
    late = {"batch", "sequence", "attention", "timing", "measuring"}

    def without(value):
        match value:
            case dict():
                return {name: without(member) for name, member in value.items() if name not in late}
            case list():
                return [without(member) for member in value]
            case _:
                return value

    old = msgspec.json.encode(without(msgspec.json.decode(msgspec.json.encode(whole))))
    assert not any(f'"{name}"'.encode() in old for name in late)
    assert msgspec.json.decode(old, type=kind) == whole
    if kind is Cell:
        assert msgspec.json.decode(old, type=Cell).id == cell.id == "bert|BertModel|torch:cpu|float32|tiny|0"
