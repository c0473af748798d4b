"""The commands in real environments: core alone, torch without the rest, and the one that has everything: this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "environment.py"


class Environment:
    """A Python with this package in it, and a home for its runs."""

    def __init__(self, python, home):
        self.python, self.home = Path(python), home

    def __call__(self, *arguments, expected=0):
        ignored = {"PYTHONPATH", "VIRTUAL_ENV", "MUSTER_HIDE", "MUSTER_MOCK"}
        kept = {name: value for name, value in os.environ.items() if name not in ignored}
        done = subprocess.run(
            [self.python, "-m", "modelmuster", *arguments],
            env={**kept, "MUSTER_HOME": str(self.home), "COLUMNS": "200"},
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == expected, done.stderr
        return done

    def results(self):
        return json.loads(self("results", "--limit", "0", "--json").stdout)


def built(folder, *extras):
    subprocess.run([sys.executable, TOOL, folder / "env", *extras], check=True, capture_output=True)
    return Environment(folder / "env" / "bin" / "python", folder / "home")


@pytest.fixture(scope="session")
def core(tmp_path_factory):
    return built(tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="session")
def torch_alone(tmp_path_factory):
    return built(tmp_path_factory.mktemp("torch"), "torch")


@pytest.fixture
def everything(tmp_path):
    return Environment(sys.executable, tmp_path / "home")


def installed(environment):
    code = "from importlib import metadata; print(*(found.name.lower() for found in metadata.distributions()))"
    done = subprocess.run([environment.python, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_core_brings_nothing_heavy(core):
    assert not installed(core) & {"torch", "transformers", "ray", "playwright", "onnx", "openvino", "dash", "pytest"}


def test_the_core_sweeps_all_architectures_with_the_mock_runtime(core):
    done = core("run", "--target", "mock", "--no-progress")
    assert "shipped snapshot of transformers" in done.stderr
    rows = core.results()
    assert len({row["model_type"] for row in rows}) > 500
    assert {row["outcome"] for row in rows} == {"not_run", "not_applicable", "unavailable"}
    assert {row["inference"] for row in rows} <= {"mock", None}
    assert all(row["figures"].get("mock_held") for row in rows if row["outcome"] == "not_run")
    assert core("matrix").stdout
    core("report")
    page = (core.home.parent / "report.html").read_text()
    assert "never yields a time, and enters no count of real results" in page


def test_the_core_says_how_to_get_what_it_lacks(core):
    core("run", "bert", "--target", "torch:cpu", "--no-progress")
    assert {row["outcome"] for row in core.results()} == {"unavailable"}
    assert all("pip install 'modelmuster[torch]'" in row["message"] for row in core.results())
    held = json.loads(core("doctor", "--models", "--json").stdout)["held_back"]["missing"]
    assert {need["package"]: need["install"] for need in held}["torch"] == "pip install 'modelmuster[torch]'"
    assert "see: muster doctor; to try the plumbing" in core("run", "bert", expected=5).stderr


def ask_real_models(environment):
    environment("run", "bert", "llama", "detr", "--target", "torch:cpu", "--check", "forward", "--no-progress")
    return {row["model_type"]: row for row in environment.results()}


@pytest.mark.environments
def test_torch_without_the_rest_runs_what_needs_no_more(torch_alone):
    found = ask_real_models(torch_alone)
    assert (found["bert"]["outcome"], found["llama"]["outcome"]) == ("pass", "pass")
    assert found["detr"]["outcome"] == "unavailable"
    assert "pip install 'modelmuster[timm]'" in found["detr"]["message"]
    torch_alone("run", "bert", "--target", "mock", "--no-progress")
    assert {row["outcome"] for row in torch_alone.results()} == {"not_run", "not_applicable"}


@pytest.mark.environments
def test_the_environment_of_make_setup_runs_all_of_it(everything):
    found = ask_real_models(everything)
    assert {row["outcome"] for row in found.values()} == {"pass"}
    assert {row["inference"] for row in found.values()} == {"real"}
