import pytest

from modelmuster import store
from modelmuster.errors import UnknownName
from modelmuster.report.gather import gather
from modelmuster.views.rates import ordered
from modelmuster.views.runs import find
from modelmuster.views.summary import summary
from modelmuster.views.whole import whole


def test_what_the_store_gives_back_is_what_the_run_wrote(home, run):
    plan, records, environment = run
    with store.reader(home) as reader:
        found = whole(reader, find(reader, plan.run_id))
    assert found.plan == plan
    assert found.records == tuple(records)
    assert set(found.environment.packages) == set(environment.packages)
    assert found.environment.cpu == environment.cpu
    assert found.damages == ()


def test_the_report_counts_what_the_summary_of_the_store_counts(home, data):
    with store.reader(home) as reader:
        gathered = gather(reader)
        counted = summary(reader).total
    assert ordered(gathered.results.counts) == ordered(counted.counts)
    assert gathered.results.mock == counted.mock
    assert gathered.rows == data.rows
    assert gathered.failures == data.failures


def test_a_damaged_journal_line_is_told(home, run):
    journal = home.runs / run[0].run_id / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], b"not a record\n", *lines[3:]]))
    with store.reader(home) as reader:
        data = gather(reader)
    assert len(data.damages) == 1
    assert "journal.jsonl:4" in data.damages[0]


def test_an_unknown_run_is_a_usage_error(home):
    with store.reader(home) as reader, pytest.raises(UnknownName):
        gather(reader, "1999")
