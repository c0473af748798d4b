"""What is recorded about the machine."""

import os
import platform
import subprocess
import sys
from importlib import metadata

from modelmuster.contracts import Probe
from modelmuster.runs import environment


def test_it_names_the_interpreter_the_packages_and_the_machine():
    here = environment.capture()
    versions = {package.name: package.version for package in here.packages}
    assert here.python == platform.python_version()
    assert versions["numpy"] == metadata.version("numpy")
    assert versions["muster-toy"] == "1.0"
    assert 1 <= here.cores <= os.cpu_count()
    assert here.memory_bytes > 1 << 28
    assert here.cpu


def test_a_missing_package_is_recorded_as_missing(monkeypatch):
    monkeypatch.setattr(environment, "PACKAGES", ("numpy", "surely-not-installed"))
    versions = {package.name: package.version for package in environment.capture().packages}
    assert versions["surely-not-installed"] is None


def test_only_devices_of_available_targets_are_named():
    found = {
        "a:x": Probe(available=True, reason="found", device_name="abacus"),
        "b:y": Probe(available=False, reason="no driver"),
    }
    assert environment.capture(found).devices == {"a:x": "abacus"}


def test_the_commit_is_marked_when_files_differ_from_it(tmp_path):
    def git(*words):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)

    assert environment.git_commit(tmp_path) is None
    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "first")
    commit = environment.git_commit(tmp_path)
    assert len(commit) == 40
    (tmp_path / "file").write_text("2")
    assert environment.git_commit(tmp_path) == f"{commit}+"


def test_it_imports_neither_torch_nor_transformers():
    code = (
        "import sys; from modelmuster.runs import environment; environment.capture();"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
