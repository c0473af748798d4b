"""Targets side by side, and what is never compared."""

import pytest

from modelmuster import store
from modelmuster.records import DeviceKind, Evidence, Family, Inference, Outcome, Provenance, Scale, Weights
from modelmuster.settings import Home
from modelmuster.views.hardware import hardware, versus
from modelmuster.views.narrowing import narrow
from modelmuster.views.performance import performance
from run_folders import CHECKS, Measurement, make_cell, make_record, make_result, write_run

NAMES = ("bert", "gpt2", "opt", "vit")


def provenance(kind=DeviceKind.HARDWARE):
    evidence = Evidence(device_name="a card", device_kind=kind, precision="float32")
    return Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="x", evidence=evidence)


def timed(run_id, cell, milliseconds, **changes):
    results = [
        make_result(check, figures={"load_ms": 3.5, "max_abs": 1.0}, measurement=Measurement(duration_ms=milliseconds))
        for check in CHECKS
    ]
    return make_record(run_id, cell, results=results, **({"provenance": provenance()} | changes))


@pytest.fixture(scope="module")
def measured_home(tmp_path_factory):
    """b takes twice as long as a; c is software; gpt2 fails on b; opt was never reached on b."""
    home = Home(tmp_path_factory.mktemp("hardware"))
    cells = [make_cell(name, target, scale=Scale.DEFAULT) for name in NAMES for target in ("a:x", "b:x", "c:x")]
    records = []
    for cell in cells:
        match cell.target, cell.model_type:
            case "b:x", "opt":
                continue
            case "b:x", "gpt2":
                records.append(make_record("run", cell, [Outcome.FAIL] * 2, provenance=provenance()))
            case "c:x", _:
                records.append(timed("run", cell, 1.0, provenance=provenance(DeviceKind.SOFTWARE_EMULATED)))
            case target, _:
                records.append(timed("run", cell, 10.0 if target == "a:x" else 20.0))
    tiny = make_cell("bert", "a:x", dtype="bfloat16")
    write_run(home, "run", [*cells, tiny], [*records, timed("run", tiny, 1.0)])
    store.ingest(home)
    return home


@pytest.fixture
def measured(measured_home):
    with store.reader(measured_home) as opened:
        yield opened


def test_every_target_has_a_card_with_its_families(measured):
    cards = {card.column.label: card for card in hardware(measured).cards}
    assert cards["b:x default"].families[Family.ENCODER_ONLY].passed == 4
    assert cards["c:x default"].column.device_kind is DeviceKind.SOFTWARE_EMULATED


def test_two_targets_are_compared_on_what_both_answered(measured):
    found = versus(measured, "latest", "a:x float32 default", "b:x default")
    assert (found.both, found.only_a, found.only_b, found.neither) == (("bert", "vit"), ("gpt2",), (), ())
    assert found.undecided == ("opt",)
    assert found.ratio.mean == pytest.approx(2.0)
    assert len(found.ratio.pairs) == 4
    assert found.ratio.low <= found.ratio.mean <= found.ratio.high


@pytest.mark.parametrize(
    ("other", "why"),
    [("c:x default", "software-emulated"), ("a:x bfloat16 tiny", "different sizes")],
)
def test_times_that_cannot_be_compared_say_why(measured, other, why):
    found = versus(measured, "latest", "a:x float32 default", other)
    assert found.ratio is None
    assert why in found.no_ratio


def test_a_target_that_the_run_lacks_gives_nothing(measured):
    assert versus(measured, "latest", "a:x float32 default", "z:x") is None


def test_performance_keeps_scales_and_software_apart(measured):
    found = performance(measured, narrow(measured))
    assert {(one.target, one.scale, one.n, one.median) for one in found.distributions} == {
        ("a:x", "tiny", 1, 1.0),
        ("a:x", "default", 4, 10.0),
        ("b:x", "default", 2, 20.0),
    }
    assert found.speed
    assert {point.parameters for point in found.points} == {12345}
    assert found.metrics[-1] == "load_ms"
    figures = performance(measured, narrow(measured, targets=["b:*"]), metric="load_ms")
    assert [(one.target, one.median) for one in figures.distributions] == [("b:x", 3.5)]


def test_a_metric_or_check_that_is_none_falls_back_and_says_which(measured):
    found = performance(measured, narrow(measured), check="nonsense", metric="'; DROP TABLE runs; --")
    assert (found.check, found.metric) == ("forward", "duration_ms")
