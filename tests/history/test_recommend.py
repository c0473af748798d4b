"""Recommendations: measured rows ranked, and every way in which the evidence can be too thin for one."""

import msgspec
import pytest

from modelmuster import store
from modelmuster.history.recommend import Objective, measured_types, recommend
from modelmuster.records import MEASURE, DeviceKind, Evidence, Inference, Outcome, Provenance, Result, Scale, Weights
from modelmuster.settings import Home
from run_folders import make_cell, make_recipe, make_record, make_result, make_timing, write_run


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def ran_by(kind=DeviceKind.HARDWARE, inference=Inference.REAL):
    seen = Evidence(device_name="AMD EPYC", device_kind=kind, precision="float32")
    return Provenance(inference=inference, weights=Weights.RANDOM, device="cpu", evidence=seen)


def measured(home, *ways, run_id="run-1", model="bert", at="2026-03-01T09", provenance=None, **asked):
    """A run of measurements: (target, milliseconds, changes of the timing)."""
    cells, records = [], []
    for target, median_ms, changes in ways:
        cell = make_cell("bert", target, checks=(MEASURE,), **{"scale": Scale.DEFAULT, **asked})
        result = Result(check=MEASURE, outcome=Outcome.PASS, timing=make_timing(median_ms=median_ms, **changes))
        cells.append(cell)
        recipe = msgspec.structs.replace(make_recipe(cell), hash=f"hash of {model}")
        ran = {"recipe": recipe, "provenance": provenance or ran_by()}
        records.append(make_record(run_id, cell, results=[result], **ran))
    write_run(home, run_id, cells, records, created_at=f"{at}:00:00+00:00")


def verified(home, *outcomes):
    """A run of the check that asks whether the numbers are right: (target, outcome)."""
    cells = [make_cell("bert", target, checks=("reference",)) for target, _ in outcomes]
    records = [
        make_record("check", cell, results=[make_result("reference", outcome)])
        for cell, (_, outcome) in zip(cells, outcomes, strict=True)
    ]
    write_run(home, "check", cells, records)


def asked(home, objective=Objective.LATENCY, **limits):
    with store.reader(home) as reader:
        return recommend(reader, "bert", objective, **limits)


RIGHT = (("torch:cpu", Outcome.PASS), ("openvino:cpu", Outcome.PASS))
TWO = (("torch:cpu", 10.0, {}), ("openvino:cpu", 5.0, {"model_bytes": 300_000_000}))


def test_the_fastest_comes_first_with_its_numbers_and_its_run(home):
    measured(home, *TWO)
    verified(home, *RIGHT)
    found = asked(home)
    assert [one.row.target for one in found.ranked] == ["openvino:cpu", "torch:cpu"]
    first, second = found.ranked
    assert (first.value, first.row.run_id, second.times) == (5.0, "run-1", 2.0)
    assert first.low < first.value < first.high
    assert (found.confidence, found.doubts, found.tied) == ("high", (), 1)


@pytest.mark.parametrize(
    ("objective", "first"),
    [(Objective.LATENCY, "openvino:cpu"), (Objective.THROUGHPUT, "openvino:cpu"), (Objective.MEMORY, "torch:cpu")],
)
def test_each_objective_ranks_by_its_own_number(home, objective, first):
    measured(home, *TWO)
    assert asked(home, objective).ranked[0].row.target == first


def test_energy_is_ranked_where_it_was_read_and_refused_where_not(home):
    measured(home, ("torch:cpu", 10.0, {"energy_mj": 30.0}), ("openvino:cpu", 5.0, {"energy_mj": 40.0}))
    assert asked(home, Objective.ENERGY).ranked[0].row.target == "torch:cpu"


def test_without_a_counter_there_is_no_ranking_by_energy(home):
    measured(home, *TWO)
    found = asked(home, Objective.ENERGY)
    assert "none is measured well enough" in found.refusal
    assert {left.reason for left in found.left_out} == {"no energy was read: no counter"}


def test_what_takes_too_much_memory_or_does_not_tell_is_left_out(home):
    measured(home, *TWO, ("onnxruntime:cpu", 7.0, {}), ("torch:xpu", 1.0, {"model_bytes": None}))
    found = asked(home, max_memory_bytes=200_000_000)
    assert [one.row.target for one in found.ranked] == ["onnxruntime:cpu", "torch:cpu"]
    assert {left.row.target: left.reason for left in found.left_out} == {
        "openvino:cpu": "it takes 286 MiB",
        "torch:xpu": "its memory could not be told: measure it again",
    }


def test_tiny_models_recommend_nothing(home):
    measured(home, *TWO, scale=Scale.TINY)
    found = asked(home)
    assert (found.ranked, found.confidence) == ((), "")
    assert all(left.reason.startswith("tiny") for left in found.left_out)
    assert found.hint == "muster measure bert --batch 1"


def test_emulated_devices_recommend_nothing(home):
    measured(home, *TWO, provenance=ran_by(DeviceKind.SOFTWARE_EMULATED))
    found = asked(home)
    assert found.refusal
    assert all("imitates" in left.reason for left in found.left_out)


def test_mock_inference_is_not_even_seen(home):
    measured(home, *TWO, provenance=ran_by(inference=Inference.MOCK))
    assert asked(home).refusal == "nothing was measured of bert"
    with store.reader(home) as reader:
        assert measured_types(reader) == []


def test_one_way_alone_is_no_ranking(home):
    measured(home, TWO[0])
    assert "only one way" in asked(home).refusal


@pytest.mark.parametrize("changes", [{"low_ms": None, "high_ms": None, "repeats": 4}, {"low_ms": 1.0, "high_ms": 9.0}])
def test_thin_evidence_is_left_out(home, changes):
    measured(home, ("torch:cpu", 5.0, changes), ("openvino:cpu", 6.0, {}))
    found = asked(home)
    assert found.refusal
    assert any("thin evidence" in left.reason for left in found.left_out)


def test_what_cannot_be_told_apart_is_a_tie(home):
    measured(home, ("torch:cpu", 5.0, {}), ("openvino:cpu", 5.05, {}), ("onnxruntime:cpu", 9.0, {}))
    verified(home, *RIGHT)
    found = asked(home)
    assert (found.tied, found.confidence) == (2, "low")
    assert "cannot be told apart" in found.doubts[0]


def test_noise_and_unchecked_numbers_lower_the_confidence(home):
    measured(home, ("torch:cpu", 5.0, {"flags": ("other processes kept 1.2 cores busy",)}), ("openvino:cpu", 8.0, {}))
    found = asked(home)
    assert found.confidence == "low"
    assert any("1.2 cores" in doubt for doubt in found.doubts)
    assert any("nobody checked" in doubt for doubt in found.doubts)


def test_wrong_numbers_are_never_recommended_however_fast(home):
    measured(home, *TWO, ("onnxruntime:cpu", 8.0, {}))
    verified(home, ("torch:cpu", Outcome.PASS), ("openvino:cpu", Outcome.FAIL))
    found = asked(home)
    assert [one.row.target for one in found.ranked] == ["onnxruntime:cpu", "torch:cpu"]
    [left] = found.left_out
    assert left.reason.startswith("its numbers are wrong in run check: reference: fail")


def test_rows_of_other_inputs_are_not_mixed_in_and_throughput_takes_the_best_batch(home):
    measured(home, *TWO)
    measured(home, ("torch:cpu", 12.0, {"batch": 8, "tokens": 96}), run_id="run-2", batch=8)
    # The made-up recipe has one hash; what tells the rows apart here is the batch.
    found = asked(home, Objective.THROUGHPUT)
    best = {one.row.target: one.value for one in found.ranked}
    assert best == {"torch:cpu": pytest.approx(8000 / 12), "openvino:cpu": pytest.approx(400)}


NOISY = {"flags": ("other processes kept 1.2 cores busy",)}
LATER = {"run_id": "run-2", "at": "2026-03-02T09"}


def values(found):
    return {one.row.target: one.value for one in found.ranked}


def test_the_latest_of_its_kind_stands(home):
    measured(home, *TWO)
    measured(home, ("openvino:cpu", 7.0, {}), **LATER)
    assert values(asked(home)) == {"openvino:cpu": 7.0, "torch:cpu": 10.0}


def test_a_noisy_repetition_does_not_displace_a_clean_row(home):
    measured(home, *TWO)
    measured(home, ("openvino:cpu", 30.0, NOISY), **LATER)
    assert values(asked(home)) == {"openvino:cpu": 5.0, "torch:cpu": 10.0}


def test_a_clean_repetition_displaces_a_noisy_row(home):
    measured(home, TWO[0], ("openvino:cpu", 30.0, NOISY))
    measured(home, ("openvino:cpu", 5.0, {}), **LATER)
    assert values(asked(home)) == {"openvino:cpu": 5.0, "torch:cpu": 10.0}


def test_a_clean_row_of_an_older_model_does_not_outlive_it(home):
    measured(home, *TWO)
    measured(home, ("torch:cpu", 9.0, NOISY), ("openvino:cpu", 30.0, NOISY), model="bert 2", **LATER)
    assert values(asked(home)) == {"openvino:cpu": 30.0, "torch:cpu": 9.0}


def test_a_noisy_row_that_tells_its_memory_stands_where_memory_is_asked_for(home):
    measured(home, TWO[0], ("openvino:cpu", 5.0, {"model_bytes": None}))
    measured(home, ("openvino:cpu", 30.0, NOISY | {"model_bytes": 50 << 20}), **LATER)
    assert values(asked(home, Objective.MEMORY)) == {"openvino:cpu": 50.0, "torch:cpu": pytest.approx(95.4, abs=0.1)}
    assert values(asked(home, max_memory_bytes=1 << 30)) == {"openvino:cpu": 30.0, "torch:cpu": 10.0}
    assert values(asked(home)) == {"openvino:cpu": 5.0, "torch:cpu": 10.0}


def test_rows_with_other_threads_are_of_another_kind(home):
    measured(home, *TWO)
    measured(home, ("openvino:cpu", 4.0, {"threads": 1}), **LATER)
    assert [one.value for one in asked(home).ranked] == [4.0, 5.0, 10.0]
