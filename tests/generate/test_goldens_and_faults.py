"""One architecture of each family: its file is as it was, passes on the intact model, and fails on broken ones.

After a change of templates or recipes: UPDATE_GOLDEN=1 pytest tests/generate/test_goldens_and_faults.py
"""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import broken_models
import pytest

from modelmuster.generate.drafts import drawn_up
from modelmuster.generate.render import Style
from modelmuster.records import Family

GOLDENS = Path(__file__).parents[1] / "golden" / "generate"

CHOSEN = tuple(broken_models.ROUNDS["first"])


@pytest.fixture(scope="module")
def drafts(shipped):
    """The files of the chosen architectures."""
    return drawn_up({f"test_{name}.py": shipped[name] for name in CHOSEN}, Style())


def run_files(folder, *words, broken=""):
    """Run the files in a folder with real pytest; gives the tests that failed, by module, and what was printed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "broken_models", "--muster-target", "torch:cpu"]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), "--junitxml=out.xml", str(folder), *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent),
            "PYTEST_ADDOPTS": "",
            "MUSTER_HOME": str(folder / "home"),
            "BROKEN": broken,
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr
    failed = {}
    for case in ET.parse(folder / "out.xml").iter("testcase"):
        tests = failed.setdefault(case.get("classname").removeprefix("test_"), set())
        if case.find("failure") is not None or case.find("error") is not None:
            tests.add(case.get("name").partition("[")[0])
    return failed, done.stdout


@pytest.fixture(scope="module")
def run(drafts, tmp_path_factory):
    """Run all files in one pytest process, on models with the faults of a round."""

    def run(broken=""):
        folder = tmp_path_factory.mktemp(broken or "intact")
        for draft in drafts:
            (folder / draft.name).write_text(draft.text)
        return run_files(folder, broken=broken)

    return run


def test_every_family_is_represented(shipped):
    assert {shipped[name].family for name in CHOSEN} == set(Family)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_file_is_as_it_was(drafts, name):
    [draft] = [draft for draft in drafts if draft.name == f"test_{name}.py"]
    golden = GOLDENS / f"{name}.py"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(draft.text)
    assert golden.read_text() == draft.text
    assert 60 <= draft.text.count("\n") <= 200


def test_on_intact_models_every_test_passes(run):
    failed, output = run()
    assert not {name: tests for name, tests in failed.items() if tests}
    assert "pass rate" in output


@pytest.mark.parametrize("name", broken_models.ROUNDS)
def test_each_broken_model_is_noticed_by_the_test_that_is_about_it(run, name):
    failed, _ = run(name)
    expected = {model_type: test for model_type, (_, test) in broken_models.ROUNDS[name].items()}
    missed = {model_type: test for model_type, test in expected.items() if test not in failed[model_type]}
    assert not missed, failed
    intact = [model_type for model_type in CHOSEN if model_type not in expected]
    assert not any(failed[model_type] for model_type in intact), failed


def test_a_model_that_would_end_at_once_generates_all_the_same(drafts, tmp_path):
    [draft] = [draft for draft in drafts if draft.name == "test_llama.py"]
    ending = "config.eos_token_id = list(range(config.vocab_size))\n    torch.manual_seed(0)\n    model ="
    (tmp_path / draft.name).write_text(draft.text.replace("torch.manual_seed(0)\n    model =", ending))
    failed, output = run_files(tmp_path, "-k", "generate_greedy")
    assert failed == {"llama": set()}, output
