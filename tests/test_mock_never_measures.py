"""No number of a mock record reaches a ranking, a chart, an anomaly or an advice, whatever the record claims.

Shown by comparison, as for rates: what stands on measured rows is the same in a home without the mock records.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmuster import store
from modelmuster.history.advice import advise
from modelmuster.history.recommend import Objective, measured_types, recommend
from modelmuster.history.timings import timings
from modelmuster.records import MEASURE, DeviceKind, Evidence, Inference, Outcome, Provenance, Scale, Weights
from modelmuster.settings import Home
from modelmuster.views.narrowing import narrow
from modelmuster.views.performance import performance
from modelmuster.views.trends import measurements, trends
from run_folders import make_cell, make_record, make_result, make_timing, write_run

EXAMPLES = 15
RUNS = {f"run-{day}": f"2026-03-0{day}T09:00:00+00:00" for day in (1, 2, 3, 4)}
NAMES = ("bert", "llama")
REAL_TARGETS, MOCK_TARGETS = ("torch:cpu", "openvino:cpu"), ("mock", "toy")


@st.composite
def records_of_a_run(draw):
    """Both architectures measured on real targets, and on mock ones that claim any time and any device."""
    made = []
    for model_type in NAMES:
        for target in (*REAL_TARGETS, *draw(st.lists(st.sampled_from(MOCK_TARGETS), unique=True))):
            mock = target in MOCK_TARGETS
            median_ms = draw(st.floats(0.01, 1e4))
            cell = make_cell(model_type, target, checks=("reference", MEASURE), scale=Scale.DEFAULT)
            answers = [
                make_result("reference", draw(st.sampled_from((Outcome.PASS, Outcome.FAIL)))),
                make_result(MEASURE, timing=make_timing(median_ms=median_ms)),
            ]
            provenance = Provenance(
                inference=Inference.MOCK if mock else Inference.REAL,
                weights=Weights.RANDOM,
                device="cpu",
                evidence=Evidence(device_name="AMD EPYC", device_kind=DeviceKind.HARDWARE, precision="float32"),
            )
            made.append((cell, answers, provenance))
    return made


def home_of(folder, runs, *, mocks):
    home = Home(folder)
    for run_id, made in runs.items():
        kept = [one for one in made if mocks or one[2].inference is Inference.REAL]
        records = [make_record(run_id, cell, results=given_, provenance=seen) for cell, given_, seen in kept]
        write_run(home, run_id, [cell for cell, _, _ in kept], records, created_at=RUNS[run_id])
    store.ingest(home)
    return home


def rankings_and_charts(home):
    with store.reader(home) as reader:
        measured = performance(reader, narrow(reader, run="latest"), check=MEASURE)
        history = trends(reader)
        return {
            "rows": [(row.run_id, row.target, row.median_ms) for row in timings(reader)],
            "types": measured_types(reader),
            "ranked": [recommend(reader, name, objective) for name in NAMES for objective in Objective],
            "advice": [advise(reader, name) for name in NAMES],
            "distributions": measured.distributions,
            "points": measured.points,
            "anomalies": [found for found in history.anomalies if found.target in REAL_TARGETS],
            "anomalies of mocks": [found for found in history.anomalies if found.target in MOCK_TARGETS],
            "levels": [without_count(level) for level in history.levels],
            "turned": (history.broken, history.mended, history.flaky),
            "series": [measurements(reader, check=check) for check in ("reference", MEASURE)],
        }


def without_count(level):
    """How many mock results there were stands beside the real ones, and is all that may differ."""
    return replace(level, tally=replace(level.tally, mock=0), realness=replace(level.realness, mock=0))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({run_id: records_of_a_run() for run_id in RUNS}))
def test_rankings_charts_anomalies_and_advice_are_the_same_without_mock_records(runs):
    with tempfile.TemporaryDirectory() as with_mocks, tempfile.TemporaryDirectory() as without:
        found = rankings_and_charts(home_of(Path(with_mocks), runs, mocks=True))
        assert found["anomalies of mocks"] == []
        assert found == rankings_and_charts(home_of(Path(without), runs, mocks=False))
        assert found["rows"]
