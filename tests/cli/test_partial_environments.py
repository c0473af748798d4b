"""Every command works whatever is missing; exactly what needs the missing is unavailable, and the remedy is named.

Packages are hidden by `MUSTER_HIDE`, in every process that a command starts. `make environments` asks the same of real
environments.
"""

import json
import os
import subprocess
import sys

import pytest

from modelmuster.catalog import snapshot

ALL_SMALL = "tokenizers,sentencepiece,pillow,scipy,timm,torchaudio,onnx,onnxruntime,openvino,playwright"
PLAIN = "bert"
"""Needs nothing but torch and transformers."""


@pytest.fixture
def muster(tmp_path):
    """Run a command with packages hidden; gives the finished process, in which there must be no traceback."""

    def run(hidden, *arguments, expected=0):
        done = subprocess.run(
            [sys.executable, "-m", "modelmuster", *arguments],
            env={**_without_toys(), "MUSTER_HIDE": hidden, "MUSTER_HOME": str(tmp_path / "home"), "COLUMNS": "200"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        assert done.returncode == expected, done.stderr
        return done

    return run


def _without_toys():
    """The environment without the toy plug-in that other tests show to their children."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def results(muster, hidden, *names, target="torch:cpu", checks=("forward", "gradients")):
    """Outcome and message of each check of each architecture, after everything around the run worked too."""
    options = [word for check in checks for word in ("--check", check)]
    muster(hidden, "run", *names, "--target", target, *options, "--no-progress")
    rows = json.loads(muster(hidden, "results", "--json").stdout)
    assert muster(hidden, "plan", *names, "--target", target, *options).stdout
    assert muster(hidden, "catalog", "--families").stdout
    muster(hidden, "matrix")
    muster(hidden, "report")
    return {(row["model_type"], row["check"]): (row["outcome"], row["message"]) for row in rows}


def missing(muster, hidden):
    found = json.loads(muster(hidden, "doctor", "--models", "--json").stdout)
    assert not found["broken_plugins"]
    assert not json.loads(muster(hidden, "doctor", "--plugins", "--json").stdout)["broken"]
    return {need["package"]: need for need in found["held_back"]["missing"]}


def test_torch_without_transformers(muster):
    found = results(muster, "transformers", PLAIN)
    for outcome, message in found.values():
        assert outcome == "unavailable"
        assert "transformers, which is not installed" in message
        assert "pip install 'modelmuster[torch]'" in message
    assert len(missing(muster, "transformers")["transformers"]["architectures"]) > 500


def test_transformers_without_torch(muster):
    found = results(muster, "torch", PLAIN)
    assert {outcome for outcome, _ in found.values()} == {"unavailable"}
    assert all("pip install 'modelmuster[torch]'" in message for _, message in found.values())
    held = missing(muster, "torch")["torch"]
    assert "gradients" in held["checks"]
    assert "forward" not in held["checks"]
    assert "torch:cpu" in held["targets"]


def test_neither_and_the_mock_runs_all_the_same(muster):
    done = muster("torch,transformers", "run", PLAIN, "llama", "--target", "mock", "--no-progress")
    assert f"shipped snapshot of transformers {next(iter(snapshot.shipped()))}" in done.stderr
    assert "🔷 mock, never counted" in done.stderr
    assert "🚀" not in done.stderr
    rows = json.loads(muster("torch,transformers", "results", "--json").stdout)
    assert {row["inference"] for row in rows} == {"mock"}
    assert {row["outcome"] for row in rows} == {"not_run", "not_applicable", "unavailable"}
    assert all("pip install" in row["message"] for row in rows if row["outcome"] == "unavailable")
    assert "nothing can run here" in muster("torch,transformers", "run", PLAIN, expected=5).stderr


def test_without_all_the_small_packages_only_what_needs_them_is_unavailable(muster):
    found = results(muster, ALL_SMALL, PLAIN, "detr", "fast_vlm", checks=("forward",))
    assert found[PLAIN, "forward"] == ("pass", "")
    for name in ("detr", "fast_vlm"):
        outcome, message = found[name, "forward"]
        assert outcome == "unavailable"
        assert "pip install" in message
    held = missing(muster, ALL_SMALL)
    assert {"detr", "fast_vlm"} <= set(held["timm"]["architectures"])
    assert "detr" in held["timm"]["unlocks"]
    assert "fast_vlm" not in held["timm"]["unlocks"]


@pytest.mark.sweep
@pytest.mark.parametrize("hidden", ALL_SMALL.split(","))
def test_without_one_small_package(muster, hidden):
    found = results(muster, hidden, PLAIN, "detr", checks=("forward",))
    assert found[PLAIN, "forward"][0] == "pass"
    assert (found["detr", "forward"][0] == "unavailable") is (hidden in {"timm", "pillow"})


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("hidden", "held_back"),
    [
        ("onnx", {"onnxruntime:cpu", "openvino:cpu"}),
        ("onnxruntime", {"onnxruntime:cpu"}),
        ("openvino", {"openvino:cpu"}),
    ],
)
def test_without_a_runtime_only_its_targets_are_unavailable(muster, hidden, held_back):
    targets = ("torch:cpu", "onnxruntime:cpu", "openvino:cpu")
    options = [word for target in targets for word in ("--target", target)]
    muster(hidden, "run", PLAIN, *options, "--check", "forward", "--no-progress")
    found = {row["target"]: row for row in json.loads(muster(hidden, "results", "--json").stdout)}
    assert {target: found[target]["outcome"] for target in targets} == {
        target: "unavailable" if target in held_back else "pass" for target in targets
    }
    assert all("pip install 'modelmuster[" in found[target]["message"] for target in held_back)


def test_the_environment_variable_makes_mock_the_default(muster, monkeypatch):
    monkeypatch.setenv("MUSTER_MOCK", "1")
    planned = json.loads(muster("", "plan", PLAIN, "--json").stdout)
    assert {cell["target"] for cell in planned["cells"]} == {"mock"}
    monkeypatch.setenv("MUSTER_MOCK", "perhaps")
    assert "cannot read MUSTER_MOCK=perhaps" in muster("", "plan", PLAIN, expected=2).stderr


def test_what_the_mock_is_told_to_break_makes_the_run_fail(muster, monkeypatch):
    monkeypatch.setenv("MUSTER_MOCK_BREAK", "causality")
    done = muster("torch", "run", "llama", "--target", "mock", "--check", "causality", "--no-progress", expected=1)
    assert "the future leaks into the past" in done.stderr
    monkeypatch.setenv("MUSTER_MOCK_BREAK", "causalty")
    refused = muster("torch", "run", "llama", "--target", "mock", "--no-progress", expected=2)
    assert "did you mean: causality" in refused.stderr
