"""Real pytest runs in processes of their own; cells run on the toy target, whose checks misbehave in known ways."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(sys.prefix) / "muster-toy"


@pytest.fixture
def run_pytest(tmp_path):
    """Run pytest in an empty folder; gives the finished process."""

    def run(*words, toy=True, **environment):
        path = os.pathsep.join(filter(None, [str(TOY) if toy else "", os.environ.get("PYTHONPATH", "")]))
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), "-p", "no:randomly", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": "", "COLUMNS": "160", **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture
def run_cells(run_pytest):
    """Run cells on the toy target."""

    def run(*words, target="toy:cpu", **environment):
        return run_pytest("--muster", "--muster-target", target, *words, **environment)

    return run
