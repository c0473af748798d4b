"""The workflows, checked by the linters that are made for them, and against what they call."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelmuster import catalog
from modelmuster.records import Family

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"


def test_there_is_one_for_each_occasion():
    assert [path.stem for path in WORKFLOWS] == ["nightly", "pull-request", "release"]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("vendor.github-workflows", path) for path in WORKFLOWS),
        ("vendor.github-actions", ACTION),
        ("vendor.dependabot", ROOT / ".github" / "dependabot.yml"),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_each_file_follows_its_schema(schema, path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing():
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program) if program.exists() else "zizmor", "--offline", "--persona=pedantic", "--no-progress", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_hash_with_the_version_beside_it(path):
    for line in path.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_make_target_that_is_called_exists(path):
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    called = set()
    for words in re.findall(r"make ([^\n]+)", path.read_text()):
        called |= {word for word in words.split() if "=" not in word}
    assert called <= made


def test_every_muster_command_of_the_action_is_understood():
    from typer.main import get_command

    from modelmuster.cli.app import app

    commands = get_command(app).commands
    for name, options in re.findall(r"muster ([a-z]+)([^\n]*)", ACTION.read_text().partition("runs:")[2]):
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known


def test_one_architecture_of_each_family_is_compiled_for_a_change():
    named = re.search(r"^COMPILED +\?= (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    known = catalog.load()
    assert {known.get(name).family for name in named[1].split()} == set(Family)
