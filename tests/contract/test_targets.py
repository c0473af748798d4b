"""What `contracts.Target` promises, asked of every registered target that this machine has."""

from __future__ import annotations

import numpy as np
import pytest

import models
from modelmuster import plugins
from modelmuster.contracts import Capability, Keeping, Probe, Target, Timeable
from modelmuster.errors import Unavailable, Unsupported
from modelmuster.numerics.rule import Verdict, judge
from modelmuster.records import DeviceKind, Inference, Stage

NAMES = plugins.targets().names()
FOUND = {name: plugins.targets().get(name).probe() for name in NAMES}
HERE = [name for name in NAMES if FOUND[name].available and plugins.targets().get(name).inference is Inference.REAL]


COMPILERS = {name for name in HERE if name.startswith("inductor:")}
"""Targets that run a C++ compiler for a minute for each model and dtype: what they promise is asked of one model."""


IN_PAGES = {name for name in HERE if name.startswith(("webgpu:", "webnn:"))}
"""Targets whose sessions start a browser, and build shaders for seconds where there is no GPU. They differ from `wasm`
in their provider only, and what they promise of that is asked in tests/targets/browser."""


@pytest.fixture(params=NAMES)
def any_target(request) -> Target:
    return plugins.targets().get(request.param)


@pytest.fixture(params=[name for name in HERE if name not in IN_PAGES])
def target(request) -> Target:
    target = plugins.targets().get(request.param)
    if isinstance(target, Keeping):
        target.cache_dir = models.EXPORTS
    return target


def opened(target, subject, dtype="float32"):
    stages = []
    return target.open(subject, dtype, stages.append), stages


def test_the_cpu_is_always_there():
    assert "torch:cpu" in HERE


def test_it_declares_itself(any_target):
    runtime, _, device = any_target.name.partition(":")
    assert runtime
    assert device or any_target.inference is Inference.MOCK
    assert "float32" in any_target.dtypes
    assert any_target.start_method in {"fork", "spawn"}
    assert isinstance(any_target.resources, frozenset)


def test_its_probe_says_what_is_there_or_what_is_missing(any_target):
    probe = FOUND[any_target.name]
    assert isinstance(probe, Probe)
    assert probe.reason
    assert bool(probe.device_name) is probe.available or any_target.inference is Inference.MOCK


def test_what_is_not_there_is_unavailable(any_target):
    if FOUND[any_target.name].available:
        any_target.probe()
        return
    with pytest.raises(Unavailable):
        any_target.open(models.bert(), "float32", lambda _: None)


def test_an_unknown_dtype_is_unsupported(target):
    with pytest.raises(Unsupported, match="float12"):
        target.open(models.bert(), "float12", lambda _: None)


@pytest.mark.parametrize("name", ["bert", "llama", "clip"])
def test_it_runs_right(target, name):
    if target.name in COMPILERS and name != "bert":
        pytest.skip("one model is enough")
    subject = getattr(models, name)()
    session, stages = opened(target, subject)
    outputs = session.run(subject.inputs)
    compared = judge(subject.reference(subject.inputs), subject.rounding(subject.inputs, "float32"), outputs, "float32")
    session.close()
    assert compared.verdict is Verdict.PASS, compared.figures()
    assert stages
    assert all(isinstance(stage, Stage) for stage in stages)


def test_every_dtype_it_offers_is_really_used_or_refused(target):
    subject = models.llama()
    exact = subject.reference(subject.inputs)
    ran = 0
    for dtype in target.dtypes:
        if dtype not in {"float32", "bfloat16", "float16", "int8"} or (
            target.name in COMPILERS and dtype != "bfloat16"
        ):
            continue
        try:
            session, _ = opened(target, subject, dtype)
            outputs = session.run(subject.inputs)
        except Unsupported:
            continue
        ran += 1
        own = subject.rounding(subject.inputs, dtype)
        assert judge(exact, own, outputs, dtype).verdict is Verdict.PASS
        if dtype != "float32":
            # What ran in float32 all along would be nearer to the reference than this dtype can be.
            assert (
                judge(exact, subject.rounding(subject.inputs, "float32"), outputs, "float32").verdict
                is not Verdict.PASS
            )
        assert dtype in session.evidence().precision
        session.close()
    assert ran


def test_outputs_are_arrays_with_the_dtype_that_came_back(target):
    subject = models.bert()
    session, _ = opened(target, subject)
    outputs = session.run(subject.inputs)
    session.close()
    assert list(outputs) == ["last_hidden_state", "pooler_output"]
    assert all(isinstance(output.array, np.ndarray) and output.dtype == "float32" for output in outputs.values())


def test_running_twice_gives_the_same_and_leaves_the_inputs_alone(target):
    subject = models.bert()
    inputs = {name: value.copy() for name, value in subject.inputs.items()}
    for value in inputs.values():
        value.flags.writeable = False
    session, _ = opened(target, subject)
    first, second = session.run(inputs), session.run(inputs)
    session.close()
    assert all(np.array_equal(first[name].array, second[name].array) for name in first)
    assert all(np.array_equal(inputs[name], subject.inputs[name]) for name in inputs)


def test_the_subject_is_left_as_it_was(target):
    subject = models.llama()
    before = {name: value.clone() for name, value in subject.module.state_dict().items()}
    session, _ = opened(target, subject)
    session.run(subject.inputs)
    session.close()
    after = subject.module.state_dict()
    assert all(bool((after[name] == before[name]).all()) for name in before)
    assert next(subject.module.parameters()).device.type == "cpu"


def test_the_evidence_names_the_device(target):
    subject = models.bert()
    session, _ = opened(target, subject)
    session.run(subject.inputs)
    evidence = session.evidence()
    session.close()
    assert evidence.device_name == FOUND[target.name].device_name
    assert evidence.precision.startswith("float32")
    assert isinstance(evidence.device_kind, DeviceKind)
    assert not evidence.fallbacks


def test_there_is_no_evidence_before_a_run(target):
    session, _ = opened(target, models.bert())
    with pytest.raises(Exception, match="nothing has run"):
        session.evidence()
    session.close()


def test_other_shapes_run_where_that_is_promised(target):
    subject = models.bert()
    session, _ = opened(target, subject)
    if Capability.RESHAPE in session.capabilities:
        outputs = session.run({"input_ids": models.ids(3, 5), "attention_mask": np.ones((3, 5), np.int64)})
        assert outputs["last_hidden_state"].array.shape == (3, 5, 32)
    session.close()


def test_the_module_is_there_where_that_is_promised(target):
    session, _ = opened(target, models.bert())
    if Capability.MODULE in session.capabilities:
        assert not session.module.training
    session.close()


def test_closing_twice_is_fine_and_running_afterwards_is_not(target):
    subject = models.bert()
    session, _ = opened(target, subject)
    session.close()
    session.close()
    with pytest.raises(Exception, match="closed"):
        session.run(subject.inputs)


def test_a_prepared_pass_runs_again_and_again_without_its_session(target):
    subject = models.bert()
    session, _ = opened(target, subject)
    if not isinstance(session, Timeable):
        pytest.skip("it is timed with its conversions")
    call = session.prepared(subject.inputs)
    assert session.from_cache in {None, True, False}
    del session
    assert call() is not None
    call()
