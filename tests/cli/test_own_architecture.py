"""An architecture that is no part of transformers: scaffolded, installed, and asked like any other."""

import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from modelmuster.cli.scaffold import scaffold
from modelmuster.errors import UsageError

app = typer.Typer()
app.command()(scaffold)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A scaffolded package, and the metadata that installing it leaves."""
    folder = tmp_path_factory.mktemp("own") / "our_model"
    done = CliRunner().invoke(app, ["our_model", "--output", str(folder)])
    assert done.exit_code == 0, done.output
    info = folder / "our_model-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-model\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[modelmuster.architectures]\nour_model = our_model\n")
    return folder


@pytest.fixture
def muster(project, tmp_path):
    def call(*arguments, module="modelmuster"):
        changed = {
            "PYTHONPATH": str(project),
            "MUSTER_HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "c"),
        }
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True, text=True, check=False, env={**os.environ, **changed}, cwd=tmp_path,
        )  # fmt: skip

    return call


def test_it_gets_checks_a_row_and_a_test_file(muster, tmp_path):
    shown = json.loads(muster("catalog", "show", "our_model", "--explain", "--json").stdout)
    assert (shown["family"], shown["default_class"]) == ("decoder-only", "OurModelForCausalLM")
    ran = muster(
        "run", "our_model", "-t", "torch:cpu", "-c", "causality", "-c", "reference", "-c", "cache", "--no-progress"
    )
    assert ran.returncode == 0, ran.stderr
    rows = json.loads(muster("results", "--json").stdout)
    assert {row["check"]: row["outcome"] for row in rows} == {"causality": "pass", "reference": "pass", "cache": "pass"}
    assert "our_model" in muster("matrix", "--all").stdout
    made = muster("generate", "our_model", "--standalone")
    assert made.returncode == 0, made.stderr
    [file] = (tmp_path / "muster_tests").glob("test_our_model*.py")
    assert "import our_model.modeling_our_model" in file.read_text()
    tested = muster("-q", "-p", "no:cacheprovider", str(file), module="pytest")
    assert tested.returncode == 0, tested.stdout


def test_an_edited_model_is_another_and_a_broken_one_is_listed_with_the_reason(muster, project):
    path = project / "our_model" / "modeling_our_model.py"
    before, text = json.loads(muster("recipe", "our_model", "--json").stdout), path.read_text()
    try:
        path.write_text(text.replace("* self.embedding_scale", "* self.embedding_scale * 3"))
        after = json.loads(muster("recipe", "our_model", "--json").stdout)
        assert after["hash"] != before["hash"]
        path.write_text("import no_such_package_anywhere\n")
        shown = json.loads(muster("catalog", "show", "our_model", "--json").stdout)
        assert "no_such_package_anywhere" in shown["note"]
    finally:
        path.write_text(text)


def test_a_change_of_its_package_selects_it_and_no_other_change_does(muster, project):
    def git(*words):
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(project), *author, *words], check=True, capture_output=True)

    def planned():
        return muster(
            "plan", "--changed", "HEAD", "--repository", str(project), "-t", "torch:cpu", "-c", "forward", "--json"
        )

    git("init")
    git("add", "--all")
    git("commit", "--message", "some")
    (project / "setup.py").write_text("")
    assert "touches no architecture" in planned().stderr
    path = project / "our_model" / "configuration_our_model.py"
    text = path.read_text()
    try:
        path.write_text(f"{text}\n")
        [cell] = json.loads(planned().stdout)["cells"]
        assert cell["model_type"] == "our_model"
    finally:
        path.write_text(text)
        (project / "setup.py").unlink()


@pytest.mark.parametrize("name", ["Bad", "1st", "a__b", "../x", "bert", "json", "my-model"])
def test_a_name_that_cannot_be_one_is_refused(name, tmp_path):
    done = CliRunner().invoke(app, [name, "--output", str(tmp_path / "x")])
    assert isinstance(done.exception, UsageError)
    assert not (tmp_path / "x").exists()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "kept").write_text("mine")
    done = CliRunner().invoke(app, ["our_model", "--output", str(tmp_path)])
    assert isinstance(done.exception, UsageError)
    assert [path.name for path in tmp_path.iterdir() if path.name != "muster-home"] == ["kept"]
