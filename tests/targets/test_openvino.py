"""OpenVINO computes in the precision that was asked for, or is caught: its default may be bfloat16, unasked."""

import subprocess
import sys

import pytest

import models
from modelmuster.errors import Unavailable, Unsupported
from modelmuster.numerics.rule import Verdict, judge
from modelmuster.targets.export import exported
from modelmuster.targets.openvino import precision, runtime
from modelmuster.targets.openvino.session import OpenVinoSession
from modelmuster.targets.openvino.targets import OpenVinoCpu, OpenVinoNpu


def cpu():
    target = OpenVinoCpu()
    target.cache_dir = models.EXPORTS
    return target


def compiled(subject, **settings):
    artifact = exported(subject, "float32", lambda _: None, models.EXPORTS)
    core = runtime.load().Core()
    model = core.compile_model(core.read_model(artifact.model), "CPU", {"INFERENCE_NUM_THREADS": 1, **settings})
    return model, OpenVinoSession(artifact, subject, core, model, "CPU")


@pytest.fixture(params=["bf16", "f16"])
def narrow(request) -> str:
    if not precision.offers(runtime.load().Core(), "CPU", {"bf16": "bfloat16", "f16": "float16"}[request.param]):
        pytest.skip(f"this processor does not compute in {request.param}")
    return request.param


def test_silent_narrow_arithmetic_is_caught_three_times(narrow):
    subject = models.bert()
    model, session = compiled(subject, INFERENCE_PRECISION_HINT=narrow)
    with pytest.raises(Unsupported, match="asked for float32, but computes in"):
        precision.insist(model, "float32")
    outputs = session.run(subject.inputs)
    assert session.evidence().precision != "float32"
    compared = judge(subject.reference(subject.inputs), subject.rounding(subject.inputs, "float32"), outputs, "float32")
    assert compared.verdict is Verdict.REDUCED_PRECISION


def test_the_default_is_not_relied_on():
    subject = models.bert()
    session = cpu().open(subject, "float32", lambda _: None)
    session.run(subject.inputs)
    assert session.evidence().precision == "float32"


def test_every_layer_is_accounted_for():
    subject = models.bert()
    _, session = compiled(subject, INFERENCE_PRECISION_HINT="f32")
    session.run(subject.inputs)
    evidence = session.evidence()
    assert evidence.nodes_total == evidence.nodes_on_target
    assert evidence.nodes_total > 50
    assert not evidence.fallbacks


def test_it_reads_the_same_file_as_every_other_runtime():
    subject = models.bert()
    before = exported(subject, "float32", lambda _: None, models.EXPORTS).folder.stat().st_mtime_ns
    for dtype in ("float32", "bfloat16"):
        if precision.offers(runtime.load().Core(), "CPU", dtype):
            cpu().open(subject, dtype, lambda _: None).close()
    assert exported(subject, "float32", lambda _: None, models.EXPORTS).folder.stat().st_mtime_ns == before


def test_its_telemetry_is_shut_out(tmp_path):
    (tmp_path / "openvino_telemetry.py").write_text("raise SystemExit('telemetry was imported')")
    code = "from modelmuster.targets.openvino import runtime; print(runtime.load().get_version())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.stdout.strip()


def test_a_missing_device_says_what_it_takes():
    probe = OpenVinoNpu().probe()
    if probe.available:
        pytest.skip("this machine has an NPU")
    assert "OpenVINO finds no NPU; it has CPU" in probe.reason
    assert probe.missing
    with pytest.raises(Unavailable, match="NPU"):
        OpenVinoNpu().open(models.bert(), "float32", lambda _: None)
