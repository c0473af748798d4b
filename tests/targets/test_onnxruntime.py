"""ONNX Runtime may not fall back unseen: each way in which it could is staged here."""

import dataclasses

import numpy as np
import pytest
import torch

import models
from modelmuster.checks.forward import Forward
from modelmuster.checks.reference import Reference
from modelmuster.errors import CellFailure, ExportFailed, Unavailable, Unsupported
from modelmuster.records import Outcome
from modelmuster.targets.export import exported
from modelmuster.targets.onnxruntime import placement, providers
from modelmuster.targets.onnxruntime.session import OnnxRuntimeSession
from modelmuster.targets.onnxruntime.targets import OnnxRuntimeCpu, OnnxRuntimeCuda

AZURE = providers.Provider("azure", "AzureExecutionProvider", "onnxruntime", "a service in the network")
"""Built into every wheel, starts anywhere, and has a kernel for nothing: all that it is asked for runs on the CPU."""


def cpu():
    target = OnnxRuntimeCpu()
    target.cache_dir = models.EXPORTS
    return target


def session(subject, provider=providers.CPU):
    artifact = exported(subject, "float32", lambda _: None, models.EXPORTS)
    return OnnxRuntimeSession(artifact, subject, provider, threads=1)


def test_work_that_ran_elsewhere_is_not_credited_to_the_provider_asked_for():
    subject = models.vit()
    staged = session(subject, AZURE)
    with pytest.raises(CellFailure, match=r"all .* nodes ran elsewhere: .*on CPU"):
        staged.run(subject.inputs)


def test_the_share_that_fell_back_is_listed_by_operator(tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text(
        """[
        {"cat": "Node", "name": "a_kernel_time", "args": {"op_name": "MatMul", "provider": "CUDAExecutionProvider",
            "output_type_shape": [{"float16": [2, 3]}]}},
        {"cat": "Node", "name": "b_kernel_time", "args": {"op_name": "Softmax", "provider": "CPUExecutionProvider",
            "output_type_shape": [{"float": [2, 3]}]}},
        {"cat": "Node", "name": "b_kernel_time", "args": {"op_name": "Softmax", "provider": "CPUExecutionProvider",
            "output_type_shape": [{"float": [2, 3]}]}},
        {"cat": "Node", "name": "c_kernel_time", "args": {"op_name": "Cast", "provider": "CUDAExecutionProvider",
            "output_type_shape": [{"double": [2, 3]}]}},
        {"cat": "Session", "name": "model_run", "args": {}}]"""
    )
    read = placement.read(profile, "CUDAExecutionProvider")
    assert (read.total, read.on_target, read.elsewhere) == (3, 2, ("Softmax on CPU ×1",))
    assert read.precision == "float16+float32"


def test_a_provider_that_this_build_lacks_does_not_become_the_cpu():
    subject = models.vit()
    with pytest.raises(Unavailable, match="built without CUDAExecutionProvider"):
        session(subject, providers.CUDA)


def test_the_cpu_has_no_float16_kernels_and_that_is_said():
    subject = models.bert()
    opened = cpu().open(subject, "float16", lambda _: None)
    with pytest.raises(Unsupported, match=r"computes this in float32.*, not float16"):
        opened.run(subject.inputs)


def test_every_node_is_accounted_for():
    subject = models.vit()
    opened = session(subject)
    opened.run(subject.inputs)
    opened.run(subject.inputs)
    evidence = opened.evidence()
    assert evidence.nodes_total == evidence.nodes_on_target
    assert evidence.nodes_total > 20
    assert evidence.precision == "float32"
    assert evidence.route == "ONNX by transformers' OnnxExporter"


class Divides(torch.nn.Module):
    """Gives NaN for zeros."""

    def forward(self, x):
        return {"y": x / x * torch.log1p(x)}


def test_nan_in_the_answer_is_a_failure():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    subject = models.subject(Divides(), {"x": x}, seed=None, modalities=())
    trial = models.trial(subject, session=session(subject))
    finding = Forward().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "y holds NaN" in finding.message


def test_the_wrong_weights_are_a_failure():
    subject = models.vit()
    other = dataclasses.replace(subject, module=models.subject(models.vit().module, {}, seed=7).module)
    finding = Reference().run(models.trial(subject, session=session(other)))
    assert finding.outcome is Outcome.FAIL


def test_what_cannot_be_exported_says_which_exporters_were_tried(tmp_path):
    class Refuses(torch.nn.Module):
        def forward(self, x):
            return {"y": torch.linalg.eigvals(x @ x.T)}

    subject = models.subject(Refuses(), {"x": np.ones((2, 3), np.float32)}, seed=None)
    with pytest.raises(ExportFailed, match=r"transformers' OnnxExporter: .*\n(.*\n)*torch\.onnx\.export: "):
        cpu().open(subject, "float32", lambda _: None)


def test_a_missing_provider_says_what_to_install():
    probe = OnnxRuntimeCuda().probe()
    assert not probe.available
    assert "CUDAExecutionProvider" in probe.reason
    assert "onnxruntime-gpu" in probe.remedy
