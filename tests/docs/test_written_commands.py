"""Every command in the README and the documentation is understood as it stands; those that take little really run."""

import re
import shlex
from pathlib import Path

import click
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from modelmuster.cli.app import app
from modelmuster.settings import Home
from run_folders import make_cell, write_run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
MUSTER = get_command(app)

ONLY_UNDERSTOOD = {
    r"run\b": "runs models: tests/cli and tests/runs run them",
    r"measure\b": "times models: tests/measure",
    r"(recommend|advise)\b": "needs measurements: tests/history/test_recommend.py, tests/history/test_advice.py",
    r"browsers\b": "fetches a browser or looks for one: tests/browser, tests/targets",
    r"worker": "starts a cluster, or looks at a run on one: tests/runs/executors/cluster",
    r"generate\b": "builds models: tests/generate",
    r"recipe\b": "builds models: tests/recipes, tests/cli",
    r"scaffold\b|catalog show my_model": "needs the package that it writes: tests/cli/test_own_architecture.py",
    r"bisect\b": "installs releases: tests/cli/test_bisect.py",
    r"gate\b": "needs the committed baseline that it names: tests/history/test_gate.py",
    r"serve\b|dashboard\b|site\b": "serves until it is stopped, or writes many pages: its own tests",
    r"golden\b": "computes float64 outputs: tests/cli/test_golden.py",
}
"""Commands that are not run here, by the beginning of their arguments, with the reason."""


def written():
    """Each command of a fenced block, with its page; whatever follows two spaces is a remark."""
    for page in PAGES:
        for block in re.findall(r"```(?:console|sh|bash)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                found = re.match(r"(?:\w?\$ )?(?:[A-Z_]+=\S+ )*muster (.+)", line)
                if found:
                    yield page.name, re.split(r"\s{2,}| #| \|\| | && |; ", found[1])[0]


COMMANDS = sorted(set(written()))
CHEAP = [one for one in COMMANDS if not any(re.match(pattern, one[1]) for pattern in ONLY_UNDERSTOOD)]


def test_there_are_some_of_each():
    assert len(COMMANDS) > 30
    assert len(CHEAP) >= 6


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: value)
def test_it_is_understood(page, words):
    command, arguments = MUSTER, shlex.split(words)
    context = click.Context(MUSTER, info_name="muster")
    while hasattr(command, "commands") and arguments and arguments[0] in command.commands:
        name, *arguments = arguments
        command = command.commands[name]
    assert command is not MUSTER, f"{page}: no such command"
    command.make_context(command.name, arguments, parent=context)  # raises where something is not understood


@pytest.mark.parametrize(("page", "words"), CHEAP, ids=lambda value: value)
def test_it_runs(page, words, tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    write_run(home, "20260101-000000", [make_cell("bert"), make_cell("vit")])
    write_run(home, "20260102-000000", [make_cell("bert"), make_cell("vit")], created_at="2026-03-02T09:00:00+00:00")
    done = CliRunner().invoke(app, shlex.split(words))
    assert not done.exception or isinstance(done.exception, SystemExit), f"{page}: {done.exception}"
    assert done.exit_code == 0, f"{page}: {done.output}"
