"""One store with two runs, made once."""

from collections.abc import Iterator

import pytest
from stored_run import BERT, BERT_LARGE, CELLS, NEW, OLD, records

from modelmuster import store
from modelmuster.settings import Home
from modelmuster.store import Reader
from run_folders import make_record, write_run


@pytest.fixture(scope="session")
def stored_home(tmp_path_factory) -> Home:
    home = Home(tmp_path_factory.mktemp("views"))
    write_run(home, OLD, [BERT, BERT_LARGE], [make_record(OLD, BERT)], created_at="2026-03-01T09:00:00+00:00")
    write_run(
        home, NEW, CELLS, records(NEW), created_at="2026-03-02T09:00:00+00:00", unplanned={"odd": "it has no class"}
    )
    store.ingest(home)
    return home


@pytest.fixture
def reader(stored_home) -> Iterator[Reader]:
    with store.reader(stored_home) as opened:
        yield opened
