"""The journal: nothing that was appended is lost, nothing that is damaged is believed."""

import resource
import signal

import msgspec
import pytest

from modelmuster.errors import InfrastructureError, JournalDamaged
from modelmuster.records import (
    RECORD_FORMAT,
    CellRecord,
    Inference,
    Measurement,
    Outcome,
    Provenance,
    Result,
    Weights,
)
from modelmuster.runs import journal


@pytest.fixture
def record(make_cell):
    def make(name="toy", *, final=True, attempt=1, message=""):
        return CellRecord(
            run_id="r",
            cell=make_cell("ok", model_type=name),
            attempt=attempt,
            final=final,
            worker="w",
            started_at="2026-11-23T10:00:00+00:00",
            results=(Result(check="ok", outcome=Outcome.PASS, message=message),),
            provenance=Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="cpu"),
            measurement=Measurement(),
        )

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def write(path, *records):
    with journal.Journal(path) as writer:
        for record in records:
            writer.append(record)


def test_what_was_appended_is_read_back_in_order(path, record):
    records = [record("a"), record("b", message='line\nbreak, "quotes", ü'), record("c")]
    write(path, *records[:2])
    write(path, records[2])
    assert list(journal.read(path)) == records


def test_a_missing_journal_is_empty(path):
    assert list(journal.read(path)) == []
    assert journal.done_cells(path) == set()


def test_only_final_records_make_a_cell_done(path, record):
    write(path, record("a", final=False), record("b"), record("c", final=False), record("c", attempt=2))
    assert journal.done_cells(path) == {record("b").cell.id, record("c").cell.id}


@pytest.mark.parametrize("cut", [1, 2, 40, 10_000])
def test_a_torn_last_line_is_passed_over_and_then_cut_off(path, record, cut):
    write(path, record("a"), record("b", message="x" * 70_000))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert list(journal.read(path)) == [record("a")]
    assert journal.read_lenient(path).damages == []
    write(path, record("c"))
    assert list(journal.read(path)) == [record("a"), record("c")]


def test_a_journal_of_nothing_but_a_torn_line_starts_anew(path, record):
    path.write_bytes(b'{"kind":"cell","form')
    write(path, record("a"))
    assert list(journal.read(path)) == [record("a")]


@pytest.mark.parametrize(
    "line",
    [b"{not json}\n", b"\n", b"\x00\x00\x00\n", b'{"kind":"cell"}\n', b'{"kind":"other"}\n', b"\xff\xfe\n"],
)
def test_a_damaged_line_is_named_with_file_and_number(path, record, line):
    write(path, record("a"), record("b"))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + line + second)
    with pytest.raises(JournalDamaged, match=r"journal\.jsonl, line 2") as caught:
        list(journal.read(path))
    assert "--resume" in caught.value.hint
    reading = journal.read_lenient(path)
    assert reading.records == [record("a"), record("b")]
    assert [(damage.path, damage.line) for damage in reading.damages] == [(path, 2)]


def test_a_record_of_a_newer_version_is_not_misread(path, record):
    write(path, msgspec.structs.replace(record("a"), format=RECORD_FORMAT + 1))
    with pytest.raises(JournalDamaged, match="newer version"):
        list(journal.read(path))


def test_a_full_disk_is_an_infrastructure_error_and_loses_nothing(path, record):
    write(path, record("a"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with journal.Journal(path) as writer:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(path.read_bytes()) + 100, before[1]))
            with pytest.raises(InfrastructureError, match="cannot write the journal") as caught:
                writer.append(record("b", message="x" * 5_000))
            assert "--resume" in caught.value.hint
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            writer.append(record("c"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(journal.read(path)) == [record("a"), record("c")]


def test_a_device_without_space_is_an_infrastructure_error(record, tmp_path):
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(InfrastructureError), journal.Journal(full) as writer:
        writer.append(record("a"))


def test_a_folder_that_cannot_be_written_is_an_infrastructure_error(tmp_path):
    with pytest.raises(InfrastructureError, match="cannot write"):
        journal.Journal(tmp_path / "missing" / "journal.jsonl")


def test_a_follower_reads_each_record_once_and_waits_for_the_end_of_a_line(tmp_path, record):
    path = tmp_path / "journal.jsonl"
    follower = journal.Follower(path)
    assert follower.new() == []
    with journal.Journal(path) as writer:
        writer.append(record("one"))
        writer.append(record("two"))
        assert [found.cell.model_type for found in follower.new()] == ["one", "two"]
        assert follower.new() == []
    line = msgspec.json.encode(record("three")) + b"\n"
    with path.open("ab") as file:
        file.write(b"no record\n" + line[:40])
        file.flush()
        assert follower.new() == []
        file.write(line[40:])
    assert [found.cell.model_type for found in follower.new()] == ["three"]


def test_a_follower_of_a_file_that_was_made_anew_begins_at_its_beginning(tmp_path, record):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(record(name)) + b"\n" for name in ("one", "two")))
    follower = journal.Follower(path)
    assert len(follower.new()) == 2
    path.write_bytes(msgspec.json.encode(record("three")) + b"\n")
    assert [found.cell.model_type for found in follower.new()] == ["three"]
