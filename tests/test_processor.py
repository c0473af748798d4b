"""The processor is read from the system, quickly and without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelmuster.processor import processor


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="Linux only")
def test_it_names_what_the_kernel_names():
    text = Path("/proc/cpuinfo").read_text()
    found = processor()
    assert found.name in text
    assert all(f" {name}" in text for name in (*found.vectors, *found.amx))
    if " hypervisor" in text:
        assert found.virtualised


def test_it_imports_nothing_heavy():
    code = (
        "import sys, modelmuster.processor as p; p.processor(); print({'torch', 'numpy', 'psutil'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_doctor_tells_it():
    done = subprocess.run(
        [sys.executable, "-m", "modelmuster", "doctor", "--json"], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["processor"]["name"] == processor().name
    assert told["targets"]["torch:tpu"]["available"] is False
    assert "torch_xla" in told["targets"]["torch:tpu"]["reason"] or "torch" in told["targets"]["torch:tpu"]["reason"]
    assert told["targets"]["openvino:npu"]["reason"]
