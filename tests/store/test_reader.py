"""Readers: never locked out, never able to write, always told when they see an old state."""

import os
import signal
import subprocess
import sys
import time

import duckdb
import pytest

from modelmuster import store
from modelmuster.errors import InfrastructureError, StoreTooNew, UsageError
from run_folders import append, make_cell, make_record, write_run

COUNT = "SELECT count(*) FROM answers"

HOLD_THE_LOCK = """
import sys, time
from pathlib import Path
from modelmuster.settings import Home
from modelmuster.store.publish import writing
from modelmuster.store.schema import open_for_writing
home = Home(Path(sys.argv[1]))
with writing(home, 10):
    connection = open_for_writing(home.store)
    connection.begin()
    connection.execute("DELETE FROM answers")
    print("holding", flush=True)
    time.sleep(600)
"""

LEAVE_A_WRITE_AHEAD_LOG = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1] + "/store.duckdb")
connection.execute("INSERT INTO unplanned VALUES (1, 'ghost', 'of the old store')")
print("committed", flush=True)
time.sleep(600)
"""

INGEST_FOREVER = """
import sys
from pathlib import Path
from modelmuster import store
from modelmuster.settings import Home
home = Home(Path(sys.argv[1]))
while True:
    print("round", flush=True)
    store.rebuild(home)
    home.store.unlink()
    store.ingest(home)
"""


def start(code, home):
    child = subprocess.Popen([sys.executable, "-c", code, str(home.root)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline()
    return child


def end(child):
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


@pytest.fixture
def writer(home):
    """Another process that holds the lock and has the store open, with a run that was ingested before."""
    cells = [make_cell("bert"), make_cell("llama")]
    folder = write_run(home, "run-1", cells, [make_record("run-1", cells[0])])
    store.ingest(home)
    child = start(HOLD_THE_LOCK, home)
    append(folder, [make_record("run-1", cells[1])])
    yield child
    end(child)


def test_without_runs_it_says_what_to_type(home):
    with pytest.raises(UsageError, match="no runs yet") as caught, store.reader(home):
        pass
    assert caught.value.hint == "type: muster run"
    assert not home.root.exists()


def test_with_damaged_runs_only_it_says_what_is_wrong(home):
    (write_run(home, "run-1", [make_cell()]) / "plan.json").write_bytes(b"{")
    with pytest.raises(UsageError, match=r"run-1/plan\.json"), store.reader(home):
        pass


def test_opening_reads_new_journals_first(home):
    cells = [make_cell("bert"), make_cell("llama")]
    folder = write_run(home, "run-1", cells, [make_record("run-1", cells[0])])
    with store.reader(home) as reader:
        assert reader.query(COUNT).rows == [(2,)]
    append(folder, [make_record("run-1", cells[1])])
    with store.reader(home) as reader:
        assert reader.query(COUNT).rows == [(4,)]
        assert not reader.note


def test_a_writing_process_locks_no_reader_out(home, writer):
    with store.reader(home) as reader:
        assert reader.query(COUNT).rows == [(2,)]
        assert "another process is writing" in reader.note


def test_two_writers_at_once_are_one_too_many(home, writer):
    with pytest.raises(InfrastructureError, match="another process is writing"):
        store.ingest(home, wait_s=0.1)


def test_a_killed_writer_leaves_a_store_that_goes_on(home, writer):
    end(writer)
    with store.reader(home) as reader:
        assert reader.query(COUNT).rows == [(4,)]
        assert not reader.note


@pytest.mark.parametrize("wait_s", [0.0, 0.02, 0.1, 0.25])
def test_killed_at_any_moment_nothing_is_lost(home, wait_s):
    cells = [make_cell(f"model-{number}") for number in range(50)]
    for run in range(4):
        write_run(home, f"run-{run}", cells)
    child = start(INGEST_FOREVER, home)
    time.sleep(wait_s)
    end(child)
    with store.reader(home) as reader:
        assert reader.query("SELECT count(*), count(*) FILTER (outcome = 'pass') FROM results").rows == [(400, 400)]
    store.rebuild(home)
    with store.reader(home) as reader:
        assert reader.query(COUNT).rows == [(400,)]
    assert sorted(path.name for path in home.root.iterdir()) == [
        ".gitignore",
        "runs",
        "snapshot.duckdb",
        "store.duckdb",
        "store.lock",
    ]


def test_the_log_of_a_replaced_store_does_not_reach_the_new_one(home):
    write_run(home, "run-1", [make_cell("bert")])
    store.ingest(home)
    end(start(LEAVE_A_WRITE_AHEAD_LOG, home))
    assert home.store.with_name("store.duckdb.wal").exists()
    store.rebuild(home)
    write_run(home, "run-2", [make_cell("bert")])
    with store.reader(home) as reader:
        assert reader.query("SELECT * FROM unplanned").rows == []
        assert reader.query(COUNT).rows == [(4,)]


def test_an_open_reader_keeps_its_state_when_another_is_published(home):
    cells = [make_cell("bert"), make_cell("llama")]
    folder = write_run(home, "run-1", cells, [make_record("run-1", cells[0])])
    with store.reader(home) as old:
        append(folder, [make_record("run-1", cells[1])])
        with store.reader(home) as new:
            assert new.query(COUNT).rows == [(4,)]
            assert old.query(COUNT).rows == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO unplanned VALUES (1, 'a', 'b')",
        "DROP TABLE runs",
        "CREATE TABLE extra (a INTEGER)",
        "COPY runs TO 'stolen.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH 'other.duckdb'",
        "SET enable_external_access = true",
        "SELECT nothing FROM nowhere",
    ],
)
def test_a_query_can_neither_write_nor_reach_other_files(home, sql):
    write_run(home, "run-1", [make_cell()])
    with store.reader(home) as reader, pytest.raises(UsageError, match="the query fails"):
        reader.query(sql)


def test_a_snapshot_of_a_newer_version_is_refused(home):
    write_run(home, "run-1", [make_cell()])
    store.ingest(home)
    with duckdb.connect(str(home.snapshot)) as connection:
        connection.execute("INSERT INTO schema_versions VALUES (999, '0999_later.sql', now())")
    with pytest.raises(StoreTooNew, match="999"), store.reader(home):
        pass


def test_a_damaged_snapshot_names_the_cure(home):
    write_run(home, "run-1", [make_cell()])
    store.ingest(home)
    home.snapshot.write_bytes(b"this is no database" * 1000)
    with pytest.raises(InfrastructureError, match="cannot open") as caught, store.reader(home):
        pass
    assert "muster db rebuild" in caught.value.hint
    store.rebuild(home)
    with store.reader(home) as reader:
        assert reader.query(COUNT).rows == [(2,)]


def test_a_store_that_another_program_has_open_is_told_apart_from_a_damaged_one(home):
    write_run(home, "run-1", [make_cell()])
    store.ingest(home)
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, duckdb; c = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(600)",
            str(home.store),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(InfrastructureError, match="another program has opened"):
            store.ingest(home)
        with store.reader(home) as reader:
            assert reader.query(COUNT).rows == [(2,)]
    finally:
        end(child)


@pytest.mark.parametrize("limit", [20_000, 200_000], ids=["while it is made", "while it is filled"])
def test_a_full_disk_is_a_clear_message_and_costs_nothing(home, limit):
    """The limit on file sizes stands for the disk: writing fails in the middle of a file."""
    write_run(home, "run-1", [make_cell()])
    write_run(home, "run-2", [make_cell(f"model-{number}") for number in range(3000)])
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from modelmuster import errors, store\n"
        "from modelmuster.settings import Home\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "try: store.ingest(Home(Path(sys.argv[1])))\n"
        "except errors.InfrastructureError as error: print(error.exit_code, error)\n"
    )
    command = [sys.executable, "-c", code, str(home.root), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3 cannot ")
    with store.reader(home) as reader:
        assert reader.query("SELECT run_id, count(*) FROM results GROUP BY ALL ORDER BY ALL").rows == [
            ("run-1", 2),
            ("run-2", 6000),
        ]


def test_a_home_that_cannot_be_written_can_still_be_read(home):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    write_run(home, "run-1", [make_cell()])
    store.ingest(home)
    write_run(home, "run-2", [make_cell()])
    home.root.chmod(0o555)
    home.store_lock.chmod(0o444)
    try:
        with store.reader(home) as reader:
            assert reader.query(COUNT).rows == [(2,)]
            assert "newer results are not shown" in reader.note
    finally:
        home.root.chmod(0o755)
