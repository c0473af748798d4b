"""A torchvision that was built for another torch is recognised, and said once instead of by every cell."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

BROKEN = "import torch\ntorch.library.register_fake('torchvision::nms')(lambda boxes, scores, threshold: boxes)\n"
"""What torchvision does when its compiled operators did not load: the error is torch's own."""


@pytest.fixture
def stage(tmp_path):
    """A torchvision in front of all others, with a body, a version, and the version of torch that it wants."""

    def staged(body, own, wanted):
        package, described = tmp_path / "torchvision", tmp_path / f"torchvision-{own}.dist-info"
        package.mkdir()
        described.mkdir()
        (package / "__init__.py").write_text(body)
        (described / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: torchvision\nVersion: {own}\nRequires-Dist: torch=={wanted}\n"
        )
        return {**os.environ, "PYTHONPATH": str(tmp_path), "MUSTER_HOME": str(tmp_path / "home")}

    return staged


def run(environment, *command):
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment, timeout=240, check=False
    )


def found(environment):
    script = "from modelmuster.runs.misfits import misfit; print(misfit())"
    return run(environment, "-c", script).stdout.strip()


def test_a_broken_pair_is_named_by_doctor_and_refused_by_run(stage):
    torch = version("torch").partition("+")[0]
    environment = stage(BROKEN, "0.28.0+cu999", torch)
    told = run(environment, "-m", "modelmuster", "doctor", "--json")
    assert told.returncode == 0, told.stderr
    (problem,) = json.loads(told.stdout)["problems"]
    assert "RuntimeError: operator torchvision::nms does not exist" in problem
    assert "pip uninstall torchvision" in problem
    done = run(environment, "-m", "modelmuster", "run", "bert", "-t", "torch:cpu", "--no-progress")
    assert done.returncode == 2
    assert "torchvision 0.28.0+cu999 cannot be imported beside torch" in done.stderr
    assert "pip uninstall torchvision" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path(environment["MUSTER_HOME"]).glob("runs/*"))


def test_a_pair_that_looks_odd_but_works_is_no_problem(stage):
    assert found(stage("", "0.1.0", "0.2.0")) == "None"


def test_a_pair_whose_versions_fit_is_not_tried(stage, tmp_path):
    torch, _, build = version("torch").partition("+")
    mark = tmp_path / "tried"
    own = f"0.28.0+{build}" if build else "0.28.0"
    assert found(stage(f"open({str(mark)!r}, 'w')", own, torch)) == "None"
    assert not mark.exists()
