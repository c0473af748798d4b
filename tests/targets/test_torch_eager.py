"""Plain PyTorch: copies, precision, devices that outputs really lie on, and what the probes say."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

import modelmuster
import models
from modelmuster.errors import CellFailure, Unavailable, Unsupported
from modelmuster.targets.torch_eager import TorchCpu, TorchCuda, TorchMps, TorchSession, TorchXpu, exact_float32


def opened(subject, dtype="float32"):
    return TorchCpu().open(subject, dtype, lambda _: None)


def test_float32_on_the_cpu_borrows_the_module_and_other_dtypes_copy_it():
    subject = models.bert()
    assert opened(subject).module is subject.module
    narrow = opened(subject, "bfloat16").module
    assert narrow is not subject.module
    assert {parameter.dtype for parameter in narrow.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in subject.module.parameters()} == {torch.float32}


def test_parameters_that_transformers_keeps_in_float32_stay_so():
    subject = models.t5()
    kept = set(subject.module._keep_in_fp32_modules)
    session = opened(subject, "float16")
    dtypes = {
        name: parameter.dtype for name, parameter in session.module.named_parameters() if kept & set(name.split("."))
    }
    assert dtypes
    assert set(dtypes.values()) == {torch.float32}
    session.run(subject.inputs)
    assert session.evidence().precision == "float16+float32"


@pytest.mark.parametrize("operator", [torch.linalg.inv, torch.fft.fft, torch.linalg.qr])
def test_an_operator_without_a_kernel_for_the_dtype_is_unsupported(operator):
    class Refused(torch.nn.Module):
        def forward(self, x):
            return operator(x)

    subject = models.subject(Refused(), {"x": np.eye(4, dtype=np.float32)[None]})
    assert opened(subject).run(subject.inputs)
    with pytest.raises(Unsupported, match="torch on cpu: "):
        opened(subject, "bfloat16").run(subject.inputs)


def test_an_error_of_the_model_stays_an_error():
    class Wrong(torch.nn.Module):
        def forward(self, x):
            raise NotImplementedError("only trained models can do this")

    subject = models.subject(Wrong(), {"x": models.noise(2)})
    with pytest.raises(NotImplementedError, match="only trained"):
        opened(subject).run(subject.inputs)


def test_outputs_on_another_device_than_asked_are_an_error():
    class Straying(torch.nn.Module):
        def forward(self, x):
            return {"here": x, "elsewhere": torch.empty(2, device="meta")}

    session = TorchSession(Straying(), "cpu", "float32")
    with pytest.raises(CellFailure, match="asked of cpu, but the model returned elsewhere on meta"):
        session.run({"x": models.noise(2)})


def test_the_evidence_of_a_model_without_parameters_is_its_outputs():
    class Double(torch.nn.Module):
        def forward(self, x):
            return x * 2

    session = TorchSession(Double(), "cpu", "bfloat16")
    session.run({"x": models.noise(2)})
    assert session.evidence().precision == "bfloat16"


def test_tensor_float_is_forbidden_where_float32_is_asked_for():
    torch.backends.cudnn.allow_tf32 = True
    exact_float32(torch)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_device_that_is_not_there_says_what_is_missing():
    for target in (TorchCuda(), TorchMps(), TorchXpu()):
        probe = target.probe()
        if not probe.available:
            assert probe.reason
            assert probe.missing
            with pytest.raises(Unavailable, match=target.name):
                target.open(models.bert(), "float32", lambda _: None)


def test_without_torch_the_probe_says_how_to_install_it(tmp_path):
    # Started without site-packages; only this package and what it imports at the top can be found.
    (tmp_path / "modelmuster").symlink_to(Path(modelmuster.__file__).parent)
    for module in (msgspec, np):
        (tmp_path / module.__name__).symlink_to(Path(module.__file__).parent)
    script = "from modelmuster.targets.torch_eager import TorchCpu; print(TorchCpu().probe())"
    said = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "torch is not installed" in said
    assert "pip install 'modelmuster[torch]'" in said


def test_a_torch_that_cannot_be_imported_is_reported(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so: cannot open shared object file')\n")
    script = "from modelmuster.targets.torch_eager import TorchCuda; print(TorchCuda().probe())"
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "available=False" in said
    assert "libcudart.so" in said


def test_importing_the_target_does_not_import_torch():
    script = "import modelmuster.targets.torch_eager, sys; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )
