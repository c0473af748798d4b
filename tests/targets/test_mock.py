"""The mock runtime honours the contract of each family, and what it breaks is caught by the right check."""

import pytest

from modelmuster import catalog, plugins
from modelmuster.contracts import Job, Limits
from modelmuster.errors import ModuleUnavailable, UnknownName, Unsupported
from modelmuster.records import Cell, DeviceKind, Family, Inference, Outcome
from modelmuster.runs.cell import run_cell
from modelmuster.runs.verdict import Account, record
from modelmuster.targets.mock.breaks import PROPERTIES
from modelmuster.targets.mock.network import Form, form_of
from modelmuster.targets.mock.target import Mock

ONE_PER_FAMILY = {
    Family.ENCODER_ONLY: "bert",
    Family.DECODER_ONLY: "llama",
    Family.ENCODER_DECODER: "t5",
    Family.VISION: "vit",
    Family.VIDEO: "videomae",
    Family.AUDIO: "wav2vec2",
    Family.VISION_TEXT: "llava",
    Family.AUDIO_TEXT: "qwen2_audio",
    Family.ANY_TO_ANY: "qwen2_5_omni",
    Family.TIME_SERIES: "patchtst",
    Family.OTHER: "decision_transformer",
}
CHECKS = ("forward", "reference", "batch_invariance", "batch_permutation", "padding", "causality", "bidirectional",
          "encoder_decoder")  # fmt: skip
CAUGHT = {
    "batch": dict.fromkeys(ONE_PER_FAMILY.values(), "batch_invariance"),
    "bidirectional": {"bert": "bidirectional"},
    "cache": {"llama": "reference", "llava": "reference"},
    "causality": {"llama": "causality", "t5": "encoder_decoder"},
    "finite": dict.fromkeys(ONE_PER_FAMILY.values(), "forward"),
    "influence": dict.fromkeys(ONE_PER_FAMILY.values(), "forward"),
    "numbers": dict.fromkeys(ONE_PER_FAMILY.values(), "reference"),
    "order": dict.fromkeys(ONE_PER_FAMILY.values(), "batch_permutation"),
    "padding": {"bert": "padding", "llama": "padding", "t5": "encoder_decoder"},
    "precision": dict.fromkeys(ONE_PER_FAMILY.values(), "reference"),
    "shape": dict.fromkeys(ONE_PER_FAMILY.values(), "forward"),
}
"""The check that must fail, by what is broken and on what."""


@pytest.fixture(scope="module")
def known():
    return catalog.load()


@pytest.fixture
def told(known, monkeypatch, tmp_path):
    """The results of one mock cell, run here; with the job, and all that was told."""

    def run(model_type, *, broken="", dtype="float32", checks=CHECKS):
        monkeypatch.setenv("MUSTER_MOCK_BREAK", broken)
        plugins.targets.cache_clear()
        entry = known.get(model_type)
        cell = Cell(
            model_type=model_type,
            model_class=entry.default_class,
            family=entry.family,
            target="mock",
            dtype=dtype,
            checks=checks,
        )
        job = Job("r", cell, Limits(), str(tmp_path), architecture=entry)
        account = Account()
        run_cell(job, account.take)
        assert account.stopped is None
        return job, account

    yield run
    monkeypatch.undo()
    plugins.targets.cache_clear()


def outcomes(account):
    return {name: result.outcome for name, result in account.results.items()}


@pytest.mark.parametrize(("family", "model_type"), ONE_PER_FAMILY.items())
def test_every_family_holds_what_is_asked_of_it_and_nothing_passes(told, known, family, model_type):
    assert known.get(model_type).family is family
    _, account = told(model_type)
    assert set(outcomes(account).values()) <= {Outcome.NOT_RUN, Outcome.NOT_APPLICABLE}
    held = {name for name, result in account.results.items() if result.held}
    assert {"forward", "reference", "batch_invariance", "batch_permutation"} <= held
    assert all(result.held for result in account.results.values() if result.outcome is Outcome.NOT_RUN)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("model_type", ["bert", "llama", "t5", "clip"])
def test_narrow_dtypes_hold_too(told, model_type, dtype):
    _, account = told(model_type, dtype=dtype)
    assert set(outcomes(account).values()) <= {Outcome.NOT_RUN, Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize("broken", PROPERTIES)
def test_what_is_broken_is_caught_by_the_right_check(told, broken):
    for model_type, check in CAUGHT[broken].items():
        _, account = told(model_type, broken=broken)
        assert account.results[check].outcome is Outcome.FAIL, (model_type, outcomes(account))
        assert broken in account.evidence.route


@pytest.mark.parametrize(
    ("broken", "model_type", "also"),
    [("bidirectional", "bert", set()), ("causality", "llama", set()), ("padding", "llama", set()),
     ("batch", "vit", set()), ("order", "vit", {"batch_invariance"}), ("cache", "llama", {"padding"})],
)  # fmt: skip
def test_what_is_not_broken_holds_meanwhile(told, broken, model_type, also):
    _, account = told(model_type, broken=broken)
    failed = {name for name, outcome in outcomes(account).items() if outcome is Outcome.FAIL}
    assert failed <= {CAUGHT[broken][model_type]} | also


def test_a_property_that_there_is_not_is_refused_with_the_nearest(monkeypatch):
    monkeypatch.setenv("MUSTER_MOCK_BREAK", "padding,causalty")
    with pytest.raises(UnknownName, match="causality"):
        Mock()


def test_the_record_is_mock_from_end_to_end_and_holds_no_latency(told):
    job, account = told("bert")
    made = record(
        job, Mock().inference, account, None, worker="", started_at="", measurement=None, log_tail=""
    )  # fmt: skip
    assert made.provenance.inference is Inference.MOCK
    assert made.provenance.evidence.device_kind is DeviceKind.SOFTWARE_EMULATED
    assert made.provenance.evidence.route == "mock"
    assert all(result.measurement.duration_ms is None for result in made.results)
    assert all(result.mock_word in {"held", "not_applicable"} for result in made.results)


def test_it_is_the_same_function_for_every_architecture_of_a_family(known):
    broken, runs = frozenset(), []
    for model_type in ("llama", "gpt2", "mistral"):
        entry = known.get(model_type)
        cell = Cell(model_type=model_type, model_class=entry.default_class, family=entry.family, target="mock")
        subject = Mock(broken).subject(cell, entry, lambda _: None)
        runs.append(Mock(broken).open(subject, "float32", lambda _: None).run(subject.inputs)["logits"].array)
    assert all((array == runs[0]).all() for array in runs)


def test_two_towers_and_encoders_with_decoders_have_their_own_form(known):
    assert form_of(known.get("clip")) is Form.TWO_TOWERS
    assert form_of(known.get("whisper")) is Form.ENCODER_DECODER
    assert form_of(known.get("llama")) is Form.STREAM


def test_it_has_no_module_and_opens_no_real_model(known):
    entry = known.get("bert")
    cell = Cell(model_type="bert", model_class="BertModel", family=entry.family, target="mock")
    with pytest.raises(ModuleUnavailable):
        _ = Mock().subject(cell, entry, lambda _: None).module
    with pytest.raises(Unsupported, match="no architecture"):
        Mock().subject(cell, None, lambda _: None)
