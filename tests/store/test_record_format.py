"""What an earlier version wrote is still read: a run of format 1, recorded before records held timings."""

import shutil
from pathlib import Path

import msgspec
import pytest

from modelmuster import store
from modelmuster.records import RECORD_FORMAT, CellRecord, Outcome, Plan
from modelmuster.runs import folders, journal
from modelmuster.settings import Home
from modelmuster.views.narrowing import narrow
from modelmuster.views.results import rows

KEPT = Path(__file__).parent / "format_1"
RUN = "20261125-004940-332-2649"


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(KEPT, home.runs)
    return home


def test_there_is_a_kept_run_of_every_format():
    assert sorted(path.name for path in Path(__file__).parent.glob("format_*")) == [
        f"format_{number}" for number in range(1, RECORD_FORMAT + 1)
    ]


def test_its_results_are_those_that_were_recorded(home):
    with store.reader(home) as reader:
        [row] = rows(reader, narrow(reader))
    assert (row.run_id, row.model_type, row.check, row.outcome) == (RUN, "bert", "forward", Outcome.PASS)
    assert row.figures["logits.shape"] == "2×12×128"
    assert row.recipe_hash.startswith("c464e68a")
    assert row.device_name == "Intel(R) Xeon(R) Processor"
    assert row.precision == "float32"


def test_nothing_of_it_is_lost_when_it_is_written_again(home):
    folder = folders.open_run(home, RUN)
    [record] = journal.read(folder.journal)
    old = msgspec.json.decode(folder.journal.read_bytes())
    new = msgspec.to_builtins(record)
    assert _within(old, new)
    assert _within(msgspec.json.decode(folder.plan.read_bytes()), msgspec.to_builtins(folder.read_plan()))


@pytest.mark.parametrize("kind", [Plan, CellRecord])
def test_a_later_version_s_new_fields_do_not_stop_a_reader(home, kind):
    folder = folders.open_run(home, RUN)
    content = msgspec.json.decode((folder.plan if kind is Plan else folder.journal).read_bytes())
    assert msgspec.json.decode(msgspec.json.encode(content | {"a_new_field": 1}), type=kind).format == 1


def _within(old, new):
    """Whether everything that was there is there still."""
    if isinstance(old, dict):
        return all(name in new and _within(value, new[name]) for name, value in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(_within, old, new))
    return old == new
