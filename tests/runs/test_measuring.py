"""What a measured cell reports: one result with its timing, from the runtime that really ran."""

import pytest

import models
from modelmuster import plugins
from modelmuster.contracts import Job, Keeping, Limits
from modelmuster.errors import CannotReshape
from modelmuster.records import MEASURE, Cell, Outcome, Stage
from modelmuster.runs import measuring
from modelmuster.runs.messages import CheckDone, EvidenceRead, RecipeMade
from modelmuster.timing import Measuring

QUICK = Measuring(seconds=0.2, precision=0.5, confidence=0.95, threads=1)


def measured(tmp_path, target, build, **asked):
    subject = build()
    cell = Cell(
        model_type="tiny",
        model_class=subject.recipe.model_class,
        family=subject.architecture.family,
        target=target,
        checks=(MEASURE,),
        **asked,
    )
    job = Job("r", cell, Limits(), str(tmp_path), cache_dir=str(models.EXPORTS), measuring=QUICK)
    said, stages = [], []
    measuring.measure(job, plugins.targets().get(target), build, stages.append, said.append)
    return said, stages


@pytest.mark.parametrize("target", ["torch:cpu", "onnxruntime:cpu", "openvino:cpu"])
def test_a_cell_is_timed_on_its_target(tmp_path, target):
    if not plugins.targets().get(target).probe().available:
        pytest.skip(f"{target} is not here")
    said, stages = measured(tmp_path, target, models.bert)
    [result] = [message.result for message in said if isinstance(message, CheckDone)]
    [evidence] = [message.evidence for message in said if isinstance(message, EvidenceRead)]
    timing = result.timing
    assert (result.check, result.outcome) == (MEASURE, Outcome.PASS)
    assert evidence.device_name
    assert timing.p10_ms <= timing.median_ms <= timing.p90_ms
    assert timing.low_ms <= timing.median_ms <= timing.high_ms
    assert (timing.batch, timing.tokens, timing.covers) == (2, 24, measuring.ALONE)
    assert timing.throughput["samples/s"] == pytest.approx(2000 / timing.median_ms)
    assert timing.throughput["tokens/s"] == pytest.approx(24_000 / timing.median_ms)
    assert timing.deviation < 1e-4
    assert timing.energy_mj is None or timing.energy_mj > 0
    assert timing.energy_method
    assert timing.noise_floor > 0
    exports = isinstance(plugins.targets().get(target), Keeping)
    assert (timing.export_from_cache is not None) is exports
    assert (Stage.EXPORT in stages) is exports


def test_inputs_of_another_size_are_those_that_are_timed(tmp_path):
    said, _ = measured(tmp_path, "torch:cpu", models.bert, batch=3, sequence=20, attention="eager")
    [recipe] = [message.recipe for message in said if isinstance(message, RecipeMade)]
    [timing] = [message.result.timing for message in said if isinstance(message, CheckDone)]
    assert (timing.batch, timing.tokens) == (3, 60)
    assert {spec.name: spec.shape for spec in recipe.inputs}["input_ids"] == (3, 20)


def test_a_size_that_the_model_lacks_is_raised_and_nothing_is_timed(tmp_path):
    with pytest.raises(CannotReshape):
        measured(tmp_path, "torch:cpu", models.vit, sequence=20)


def test_narrow_arithmetic_shows_in_the_deviation(tmp_path):
    said, _ = measured(tmp_path, "torch:cpu", models.bert, dtype="bfloat16")
    [timing] = [message.result.timing for message in said if isinstance(message, CheckDone)]
    assert 1e-4 < timing.deviation < 0.2
