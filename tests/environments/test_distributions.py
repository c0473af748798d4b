"""Wheel and sdist: built, installed into empty environments, and working there without extras."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.environments


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(built):
    [wheel] = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"modelmuster"}
    for needed in (
        "py.typed",
        "catalog/snapshots/",
        "generate/templates/",
        "generate/scaffolding/",
        "store/migrations/",
    ):
        assert any(name.startswith(f"modelmuster/{needed}") for name in names), needed


def test_the_source_holds_what_its_tests_and_documentation_need(built):
    [source] = built.glob("*.tar.gz")
    with tarfile.open(source) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    needed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "Makefile", "mkdocs.yml"}
    assert needed <= names
    assert {"docs/index.md", "tools/reference.py", "tests/conftest.py"} <= names


@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_it_installs_into_an_empty_environment_and_works_without_extras(built, pattern, tmp_path):
    [distribution] = built.glob(pattern)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install", str(distribution)]
    subprocess.run([*install, "--constraint", str(ROOT / "constraints.txt")], check=True, capture_output=True)
    muster = tmp_path / "env" / "bin" / "muster"
    for arguments, said in ((["--version"], "modelmuster"), (["catalog", "--families"], "decoder-only")):
        done = subprocess.run([muster, *arguments], capture_output=True, text=True, check=True, cwd=tmp_path)
        assert said in done.stdout
    run = [muster, "run", "bert", "--target", "mock", "--no-progress"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
