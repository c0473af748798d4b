"""Bisection for real: releases of a small plug-in from a folder of wheels, each in an environment of its own."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from modelmuster.errors import UsageError
from modelmuster.runs.releases import Release, in_order, parse

CHECK = """
from modelmuster.records import Finding, Outcome


class Drift:
    name = "drift"
    question = "Is this release still right?"
    families = None
    traits = modalities = needs = frozenset()

    def applies(self, trial):
        return None

    def run(self, trial):
        trial.baseline()
        return Finding(outcome=Outcome.{outcome}, message="{version}")
"""


def wheel(folder, version, outcome):
    """A release of the package `muster-drift`: one check."""
    info = f"muster_drift-{version}.dist-info"
    files = {
        "muster_drift.py": CHECK.format(outcome=outcome, version=version),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: muster-drift\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[modelmuster.checks]\ndrift = muster_drift:Drift\n",
    }
    record = "".join(f"{name},{_digest(text)},{len(text.encode())}\n" for name, text in files.items())
    with zipfile.ZipFile(folder / f"muster_drift-{version}-py3-none-any.whl", "w") as made:
        for name, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            made.writestr(name, text)


def _digest(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.fixture
def muster(tmp_path):
    """The command, where pip knows nothing but a folder of wheels."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version, outcome in (("1.0", "PASS"), ("1.1", "NOT_APPLICABLE"), ("1.2", "FAIL"), ("1.3", "FAIL")):
        wheel(wheels, version, outcome)
    surroundings = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "MUSTER_HOME": str(tmp_path / "h"),
    }

    def call(*arguments):
        command = [sys.executable, "-m", "modelmuster", "bisect", "bert", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings, cwd=tmp_path)

    return call


def test_the_release_that_broke_a_check_is_found_with_what_differs(muster, tmp_path):
    done = muster("--check", "drift", "--good", "muster-drift==1.0", "--bad", "muster-drift==1.3")
    assert done.returncode == 0, done.stderr
    first, last, silent, *rest = done.stdout.splitlines()
    assert first == "first bad: muster-drift==1.2: fail: 1.2"
    assert last == "last good: muster-drift==1.0"
    assert silent.startswith("no answer between them: 1.1")
    assert "differs: muster-drift 1.0 → 1.2" in rest
    assert len([line for line in rest if line.startswith("differs")]) == 1
    assert "--check drift" in rest[-1]
    assert not list((tmp_path / "h" / "runs").iterdir()), "its runs are nobody's baseline"


def test_ends_that_are_not_as_said_are_refused(muster):
    done = muster("--check", "drift", "--good", "muster-drift==1.3", "--bad", "muster-drift==1.0")
    assert done.returncode == 2
    assert "muster-drift==1.3 is not good, but bad" in done.stderr
    done = muster("--check", "drift", "--good", "muster-drift==0.9", "--bad", "muster-drift==1.3")
    assert done.returncode == 2
    assert "pip cannot install muster-drift==0.9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("transformers", "transformers==5.1.0", "is no release"),
        ("transformers>=5", "transformers==5.1.0", "is no release"),
        ("transformers==x", "transformers==5.1.0", "is no release"),
        ("transformers==5.0.0", "torch==2.0", "two packages"),
        ("transformers==5.0.0", "Transformers==5.0.0", "both good and bad"),
        ("no-such-package==1", "no-such-package==2", "pip tells no versions"),
    ],
)
def test_what_cannot_be_searched_is_a_usage_error(muster, good, bad, said):
    done = muster("--check", "forward", "--good", good, "--bad", bad)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_releases_are_in_the_order_from_good_to_bad():
    known = ["5.2.0", "5.10.0", "5.9.0", "4.0", "6.0"]
    old, new = Release("transformers", "5.2.0"), Release("transformers", "5.11.0")
    assert in_order(old, new, known) == ["5.2.0", "5.9.0", "5.10.0", "5.11.0"]
    assert in_order(new, old, known) == ["5.11.0", "5.10.0", "5.9.0", "5.2.0"]
    with pytest.raises(UsageError):
        parse("transformers==5.*")
