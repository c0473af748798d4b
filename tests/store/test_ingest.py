"""From run folders into the database: nothing twice, nothing lost, nothing invented."""

import msgspec
import pytest

from modelmuster import store
from modelmuster.errors import StoreTooNew, UnknownName, UsageError
from modelmuster.records import Inference, Outcome
from modelmuster.settings import Home
from modelmuster.store.batch import PREFIX
from run_folders import append, make_cell, make_record, make_result, write_run

CONTENT = "SELECT * EXCLUDE (run) FROM results ORDER BY run_id, cell_id, place"


def content(home: Home) -> list[tuple]:
    with store.reader(home) as reader:
        return reader.query(CONTENT).rows


def outcomes(home: Home) -> list[tuple]:
    with store.reader(home) as reader:
        return reader.query("SELECT cell_id, check_name, outcome FROM results ORDER BY cell, place").rows


def test_every_planned_check_is_a_result_and_what_has_no_record_is_not_run(home):
    cells = [make_cell("bert"), make_cell("llama"), make_cell("vit")]
    write_run(home, "run-1", cells, [make_record("run-1", cells[0], (Outcome.PASS, Outcome.FAIL))])
    store.ingest(home)
    assert [row[2] for row in outcomes(home)] == ["pass", "fail", "not_run", "not_run", "not_run", "not_run"]


def test_a_check_that_the_record_does_not_answer_is_not_run(home):
    cell = make_cell()
    write_run(home, "run-1", [cell], [make_record("run-1", cell, results=[make_result("reference")])])
    store.ingest(home)
    assert [row[1:] for row in outcomes(home)] == [("forward", "not_run"), ("reference", "pass")]


def test_reading_again_changes_nothing(home):
    write_run(home, "run-1", [make_cell("bert"), make_cell("llama")])
    first = store.ingest(home)
    before = content(home)
    file = home.snapshot.stat().st_ino
    again = store.ingest(home)
    assert (first.read, again.read, again.unchanged, again.rows) == (["run-1"], [], 1, 0)
    assert content(home) == before
    assert home.snapshot.stat().st_ino == file


def test_a_run_that_grew_is_read_again_and_not_doubled(home):
    cells = [make_cell("bert"), make_cell("llama")]
    folder = write_run(home, "run-1", cells, [make_record("run-1", cells[0])])
    store.ingest(home)
    append(folder, [make_record("run-1", cells[1])])
    assert store.ingest(home).read == ["run-1"]
    assert [row[2] for row in outcomes(home)] == ["pass"] * 4


def test_the_last_final_attempt_decides_and_earlier_ones_are_kept(home):
    cell = make_cell()
    first = make_record("run-1", cell, (Outcome.CRASH, Outcome.CRASH), final=False)
    second = make_record("run-1", cell, (Outcome.PASS, Outcome.FAIL), attempt=2)
    write_run(home, "run-1", [cell], [first, second])
    store.ingest(home)
    assert [row[2] for row in outcomes(home)] == ["pass", "fail"]
    with store.reader(home) as reader:
        kept = reader.query("SELECT attempt, outcome FROM attempts JOIN answers USING (run, cell, entry) ORDER BY ALL")
    assert kept.rows == [(1, "crash"), (1, "crash"), (2, "fail"), (2, "pass")]


def test_an_attempt_that_was_to_be_repeated_decides_nothing_and_says_so(home):
    cell = make_cell()
    write_run(home, "run-1", [cell], [make_record("run-1", cell, (Outcome.CRASH, Outcome.CRASH), final=False)])
    store.ingest(home)
    with store.reader(home) as reader:
        found = reader.query("SELECT DISTINCT outcome, message FROM results").rows
    assert found == [("not_run", "planned, but the repetition that was to decide was never reached")]


def test_a_torn_last_line_costs_only_its_cell(home):
    cells = [make_cell("bert"), make_cell("llama")]
    folder = write_run(home, "run-1", cells)
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    report = store.ingest(home)
    assert report.damages == []
    assert [row[2] for row in outcomes(home)] == ["pass", "pass", "not_run", "not_run"]


def test_a_corrupt_line_in_the_middle_is_reported_and_costs_only_its_cell(home):
    cells = [make_cell("bert"), make_cell("llama"), make_cell("vit")]
    folder = write_run(home, "run-1", cells)
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + b'{"kind": "cell", \xff\x00 broken\n' + lines[2])
    report = store.ingest(home)
    assert [(found.folder, found.file, found.line) for found in report.damages] == [("run-1", "journal.jsonl", 2)]
    assert [row[2] for row in outcomes(home)] == ["pass", "pass", "not_run", "not_run", "pass", "pass"]
    with store.reader(home) as reader:
        assert reader.query("SELECT folder, line FROM damages").rows == [("run-1", 2)]


def test_a_record_of_a_newer_format_is_reported_not_guessed_at(home):
    cells = [make_cell("bert"), make_cell("llama")]
    write_run(home, "run-1", cells, [make_record("run-1", cells[0]), make_record("run-1", cells[1], format=99)])
    report = store.ingest(home)
    assert "newer version" in report.damages[0].reason
    assert [row[2] for row in outcomes(home)] == ["pass", "pass", "not_run", "not_run"]


def test_a_record_that_the_plan_lacks_is_reported(home):
    cell, stranger = make_cell("bert"), make_cell("llama")
    records = [
        make_record("run-1", cell),
        make_record("run-1", stranger),
        make_record("run-2", cell),
        make_record("run-1", cell, results=[make_result("forward"), make_result("forward"), make_result("other")]),
    ]
    write_run(home, "run-1", [cell], records)
    reasons = [found.reason for found in store.ingest(home).damages]
    assert len(reasons) == 4
    assert [number for number, reason in enumerate(reasons) if f"record {number + 2}" in reason] == [0, 1, 2]
    assert reasons[2].endswith("twice")
    assert reasons[3].endswith("unasked")


@pytest.mark.parametrize(
    ("name", "damage", "expected"),
    [
        ("plan.json", b"{", "plan.json"),
        (
            "plan.json",
            b'{"format": 99, "run_id": "bad", "created_at": "", "command": "", "cells": []}',
            "newer version",
        ),
        ("plan.json", b'{"run_id": "other", "created_at": "", "command": "", "cells": []}', "another run"),
        ("environment.json", b"[]", "environment.json"),
    ],
)
def test_a_damaged_file_is_reported_and_other_runs_are_read(home, name, damage, expected):
    write_run(home, "good", [make_cell()])
    (write_run(home, "bad", [make_cell()]) / name).write_bytes(damage)
    report = store.ingest(home)
    assert [found.folder for found in report.damages] == ["bad"]
    assert expected in str(report.damages[0])
    with store.reader(home) as reader:
        assert ("good", 2) in reader.query("SELECT run_id, count(*) FROM results GROUP BY ALL").rows
        assert reader.query("SELECT folder FROM damages").rows == [("bad",)]
    assert store.ingest(home).read == []


def test_a_run_without_environment_or_journal_is_read(home):
    folder = write_run(home, "run-1", [make_cell()], [])
    (folder / "environment.json").unlink()
    (folder / "journal.jsonl").unlink()
    assert store.ingest(home).damages == []
    assert [row[2] for row in outcomes(home)] == ["not_run", "not_run"]


def test_a_run_whose_folder_is_gone_goes_too(home):
    write_run(home, "run-1", [make_cell()])
    folder = write_run(home, "run-2", [make_cell()])
    store.ingest(home)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert store.ingest(home).removed == ["run-2"]
    with store.reader(home) as reader:
        assert reader.query("SELECT run_id FROM runs").rows == [("run-1",)]
        assert reader.query("SELECT count(DISTINCT run) FROM answers").rows == [(1,)]


def test_only_the_named_runs_are_read(home):
    write_run(home, "run-1", [make_cell()])
    write_run(home, "run-2", [make_cell()])
    assert store.ingest(home, ["run-2"]).read == ["run-2"]
    with pytest.raises(UnknownName, match="run-3"):
        store.ingest(home, ["run-3"])


def test_a_rebuilt_store_holds_the_same(home):
    cells = [make_cell("bert"), make_cell("llama")]
    folder = write_run(home, "run-1", cells, [make_record("run-1", cells[0])], unplanned={"odd": "no class"})
    write_run(home, "run-2", cells)
    store.ingest(home)
    append(folder, [make_record("run-1", cells[1], (Outcome.ERROR, Outcome.ERROR))])
    store.ingest(home)
    before = content(home)
    home.store.write_bytes(b"no database at all")
    report = store.rebuild(home)
    assert report.read == ["run-1", "run-2"]
    assert content(home) == before


def test_what_a_killed_ingest_left_behind_is_cleared_away(home):
    write_run(home, "run-1", [make_cell()])
    left_over = home.root / f"{PREFIX}abc"
    left_over.mkdir()
    (left_over / "answers.jsonl").write_text("{}")
    store.ingest(home)
    assert not left_over.exists()


def test_a_recipe_is_kept_once(home):
    write_run(home, "run-1", [make_cell("bert"), make_cell("bert", "torch:cuda")])
    store.ingest(home)
    write_run(home, "run-2", [make_cell("bert")])
    store.ingest(home)
    with store.reader(home) as reader:
        assert reader.query("SELECT hash FROM recipes").rows == [("hash of bert",)]


def test_a_target_that_was_mock_once_is_mock_for_cells_that_never_ran(home):
    cells = [make_cell("bert", "toy"), make_cell("llama", "toy"), make_cell("vit")]
    write_run(home, "run-1", cells, [make_record("run-1", cells[0], inference=Inference.MOCK)])
    store.ingest(home)
    with store.reader(home) as reader:
        found = reader.query("SELECT DISTINCT model_type, mock FROM results ORDER BY ALL").rows
    assert found == [("bert", True), ("llama", True), ("vit", False)]


HOSTILE = [
    "x'; DROP TABLE runs; --",
    '"; DELETE FROM results; --',
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "a|b%7C",
    "nul\x00 esc\x1b[31m \u2028 line\nbreak",
    "$run ? {} %s",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(home, name):
    cell = make_cell(name, name, model_class=name, checks=(name, "forward"))
    results = [make_result(name, Outcome.FAIL, message=name), make_result("forward")]
    write_run(
        home, "run-1", [cell], [make_record("run-1", cell, results=results, log_tail=name)], unplanned={name: name}
    )
    assert store.ingest(home).damages == []
    with store.reader(home) as reader:
        found = reader.rows(
            "SELECT model_type, target, check_name, message FROM results WHERE model_type = $name", name=name
        )
        assert len(found) == 2
        assert set(found[0].values()) == {name}
        assert reader.rows("SELECT log_tail FROM attempts") == [{"log_tail": name}]
        assert reader.rows("SELECT model_type FROM unplanned") == [{"model_type": name}]


def test_a_very_long_message_is_kept_whole(home):
    cell = make_cell()
    long = "x" * 40_000_000
    write_run(home, "run-1", [cell], [make_record("run-1", cell, log_tail=long)])
    store.ingest(home)
    with store.reader(home) as reader:
        assert reader.query("SELECT length(log_tail) FROM attempts").rows == [(len(long),)]


def test_records_survive_the_way_through_the_store(home):
    cell = make_cell()
    record = make_record("run-1", cell, (Outcome.PASS, Outcome.ERROR))
    write_run(home, "run-1", [cell], [record])
    store.ingest(home)
    with store.reader(home) as reader:
        row = reader.rows("SELECT * FROM results ORDER BY place")[1]
        recipe = reader.rows("SELECT body FROM recipes")[0]["body"]
    result = record.results[1]
    assert result.error is not None
    assert (row["error_type"], row["traceback"], row["fingerprint"]) == (
        result.error.type,
        result.error.traceback,
        result.error.fingerprint,
    )
    assert (row["duration_ms"], row["cpu_ms"], row["peak_rss_bytes"]) == (12.5, 11.0, 100_000_000)
    assert msgspec.json.decode(row["figures"]) == result.figures
    assert msgspec.json.decode(recipe, type=type(record.recipe)) == record.recipe


def test_a_store_of_a_newer_version_is_refused_and_can_be_rebuilt(home):
    import duckdb

    write_run(home, "run-1", [make_cell()])
    store.ingest(home)
    with duckdb.connect(str(home.store)) as connection:
        connection.execute("INSERT INTO schema_versions VALUES (999, '0999_later.sql', now())")
    with pytest.raises(StoreTooNew, match="999") as caught:
        store.ingest(home)
    assert caught.value.exit_code == 2
    assert "muster db rebuild" in caught.value.hint
    store.rebuild(home)
    assert len(content(home)) == 2


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot write"):
        store.ingest(Home(tmp_path / "file" / "home"))
