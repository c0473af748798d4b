"""The performance page shows what `muster measure` found, of hardware only, with its doubts and the command."""

import pytest

from modelmuster import store
from modelmuster.pages.blocks import Command, Table
from modelmuster.pages.routes import ROUTES
from modelmuster.records import MEASURE, DeviceKind, Evidence, Inference, Outcome, Provenance, Result, Scale, Weights
from modelmuster.settings import Home
from run_folders import make_cell, make_record, make_timing, write_run


@pytest.fixture
def home(tmp_path):
    """bert measured on a device, on software that imitates one, and too few times on a third."""
    home = Home(tmp_path)
    cells, records = [], []
    for target, kind, changes in (
        ("a:x", DeviceKind.HARDWARE, {}),
        ("b:x", DeviceKind.SOFTWARE_EMULATED, {}),
        ("c:x", DeviceKind.HARDWARE, {"low_ms": None, "high_ms": None, "repeats": 3}),
    ):
        cell = make_cell("bert", target, checks=(MEASURE,), scale=Scale.DEFAULT)
        seen = Evidence(device_name="a device", device_kind=kind, precision="float32")
        provenance = Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="x", evidence=seen)
        result = Result(check=MEASURE, outcome=Outcome.PASS, timing=make_timing(**changes))
        cells.append(cell)
        records.append(make_record("run", cell, results=[result], provenance=provenance))
    write_run(home, "run", cells, records)
    store.ingest(home)
    return home


@pytest.fixture
def slowed_home(tmp_path):
    """bert measured in nine runs, slower from the sixth on; then a run that measured nothing."""
    home = Home(tmp_path)
    seen = Evidence(device_name="a device", device_kind=DeviceKind.HARDWARE, precision="float32")
    provenance = Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="x", evidence=seen)
    for number in range(9):
        run_id = f"2026-03-{number + 1:02d}"
        cell = make_cell("bert", "a:x", checks=(MEASURE,), scale=Scale.DEFAULT)
        timing = make_timing(median_ms=(5.0 if number < 5 else 6.0) * (1 + number % 2 / 200))
        result = Result(check=MEASURE, outcome=Outcome.PASS, timing=timing)
        record = make_record(run_id, cell, results=[result], provenance=provenance)
        write_run(home, run_id, [cell], [record], created_at=f"{run_id}T00:00:00+00:00")
    write_run(home, "2026-03-20", [make_cell("vit")], created_at="2026-03-20T00:00:00+00:00")
    store.ingest(home)
    return home


def test_history_shows_what_was_measured_though_the_last_run_measured_nothing(slowed_home):
    with store.reader(slowed_home) as reader:
        page = ROUTES["history"].make(reader, {})
        first = ROUTES["history"].make(reader, {"metric": "first_ms"})
    [check] = [choice for choice in page.choices if choice.name == "check"]
    assert check.value == MEASURE
    [series] = [block for block in page.blocks if isinstance(block, Table) and block.name == "series"]
    [row] = series.rows
    assert row[1].text == "a:x float32 default threads 2"
    assert row[2] == "changed"
    assert row[3] == ("+20 % with 2026-03-06",)
    assert row[4] == "6 ms"
    [metric] = [choice for choice in first.choices if choice.name == "metric"]
    assert metric.value == "first_ms"
    assert "duration_ms" not in dict(metric.options)


def timings_of(page):
    return next(block for block in page.blocks if isinstance(block, Table) and block.name == "timings").rows


def test_measured_rows_stand_with_their_doubts_and_their_command(home):
    with store.reader(home) as reader:
        rows = timings_of(ROUTES["performance"].make(reader, {}))
        none = timings_of(ROUTES["performance"].make(reader, {"q": "bert"}))
    assert [row[1].text for row in rows] == ["a:x float32 default", "c:x float32 default"]
    assert rows[0][3] == "5 ms"
    assert rows[0][4] == "4.95 ms to 5.05 ms"
    assert rows[0][10] == "none"
    assert rows[1][10] == "thin evidence: 3 passes"
    assert isinstance(rows[0][11], Command)
    assert "--threads 2" in rows[0][11].text
    assert len(none) == 2
