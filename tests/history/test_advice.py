"""Advice: limits from results, gains from pairs of measurements that differ in one thing, each with its row."""

import pytest

from modelmuster import store
from modelmuster.history.advice import Topic, advise
from modelmuster.records import MEASURE, DeviceKind, Evidence, Inference, Outcome, Provenance, Result, Scale, Weights
from modelmuster.settings import Home
from run_folders import make_cell, make_record, make_result, make_timing, write_run


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def asked(home):
    with store.reader(home) as reader:
        return {(one.topic, one.helps): one for one in advise(reader, "bert")}


def evidence(**changes):
    values = {"device_name": "AMD EPYC", "device_kind": DeviceKind.HARDWARE, "precision": "float32"} | changes
    return Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="cpu", evidence=Evidence(**values))


def test_a_missing_operator_is_named_with_the_row_behind_it(home):
    cell = make_cell("bert", "openvino:cpu", checks=("forward",))
    message = "OpenVINO does not support the following ONNX operations: Det, GridSample"
    write_run(
        home,
        "run-1",
        [cell],
        [make_record("run-1", cell, results=[make_result("forward", Outcome.UNSUPPORTED, message=message)])],
    )
    found = asked(home)
    assert found[Topic.OPERATOR, False].run_id == "run-1"
    assert "--target openvino:cpu --check forward" in found[Topic.OPERATOR, False].reproduce
    assert found[Topic.FAILURE, False].text.startswith("openvino:cpu float32: forward ends as unsupported")


@pytest.mark.parametrize(
    ("changes", "topic", "words"),
    [
        ({"fallbacks": ("Gather on CPU ×3",), "nodes_total": 10, "nodes_on_target": 7}, Topic.FALLBACK, "7 of 10"),
        ({"precision": "bfloat16+float32"}, Topic.PRECISION, "computed in bfloat16"),
        ({"route": "ONNX by torch.onnx.export by tracing; x failed: y"}, Topic.ROUTE, "only tracing"),
        ({"route": "ONNX by torch.onnx.export; x failed: y"}, Topic.ROUTE, "not every exporter"),
    ],
)
def test_evidence_of_a_run_that_passed_shows_limits_too(home, changes, topic, words):
    cell = make_cell("bert", checks=("forward",))
    write_run(home, "run-1", [cell], [make_record("run-1", cell, provenance=evidence(**changes))])
    assert words in asked(home)[topic, False].text


def test_a_limit_that_a_later_run_no_longer_shows_is_gone(home):
    cell = make_cell("bert", checks=("forward",))
    write_run(home, "run-1", [cell], [make_record("run-1", cell, (Outcome.FAIL,))])
    assert asked(home)
    write_run(home, "run-2", [cell], [make_record("run-2", cell)], created_at="2026-03-02T09:00:00+00:00")
    assert asked(home) == {}


def measured(home, *ways):
    cells, records = [], []
    for cell_changes, timing_changes in ways:
        cell = make_cell("bert", **({"checks": (MEASURE,), "scale": Scale.DEFAULT} | cell_changes))
        result = Result(check=MEASURE, outcome=Outcome.PASS, timing=make_timing(**timing_changes))
        cells.append(cell)
        records.append(make_record("run-1", cell, results=[result], provenance=evidence(precision=cell.dtype)))
    write_run(home, "run-1", cells, records)


@pytest.mark.parametrize(
    ("changed", "topic"),
    [
        ({"dtype": "bfloat16"}, Topic.DTYPE),
        ({"attention": "eager"}, Topic.ATTENTION),
        ({"target": "openvino:cpu"}, Topic.RUNTIME),
    ],
)
def test_one_change_that_makes_it_faster_is_advised_with_its_price(home, changed, topic):
    measured(home, ({}, {"median_ms": 10.0}), (changed, {"median_ms": 4.0, "deviation": 6e-3}))
    found = asked(home)
    assert found.keys() == {(topic, True)}
    [advice] = found.values()
    assert "2.5× as fast (4 ms, not 10)" in advice.text
    assert "6e-03 off" in advice.text
    assert advice.reproduce.startswith("muster measure bert")


def test_a_gain_in_memory_counts_as_well(home):
    measured(home, ({}, {}), ({"dtype": "bfloat16"}, {"model_bytes": 50_000_000}))
    assert "50% of the memory" in asked(home)[Topic.DTYPE, True].text


@pytest.mark.parametrize(
    "second",
    [
        ({"dtype": "bfloat16"}, {"median_ms": 9.9}),
        ({"dtype": "bfloat16", "target": "openvino:cpu"}, {"median_ms": 1.0}),
        ({"dtype": "bfloat16", "scale": Scale.TINY}, {"median_ms": 1.0}),
        ({"dtype": "bfloat16"}, {"median_ms": 1.0, "low_ms": None, "high_ms": None}),
    ],
    ids=["within the noise", "two changes", "tiny", "thin"],
)
def test_what_does_not_prove_a_gain_is_not_advised(home, second):
    measured(home, ({}, {"median_ms": 10.0}), second)
    assert asked(home) == {}
