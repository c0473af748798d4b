"""Whatever can be typed is named in docs/commands.md, and the documentation names nothing that cannot."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from modelmuster.cli.app import app

ROOT = Path(__file__).parents[2]
COMMANDS = get_command(app).commands
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_table(name):
    assert re.search(rf"`muster {name}\b", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_that_is_written_exists(page):
    for name in re.findall(r"\bmuster ([a-z]+)\b", re.sub(r"(?m)^#.*$", "", page.read_text(encoding="utf-8"))):
        assert name in COMMANDS, f"{page.name}: muster {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_inside_the_project_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_in_a_console_block_is_understood(page):
    known = {
        option
        for command in [
            *COMMANDS.values(),
            *(sub for group in COMMANDS.values() for sub in getattr(group, "commands", {}).values()),
        ]
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        for line in re.findall(r"\bmuster ([^#\n]*)", block):
            for option in re.findall(r"(?<=\s)(--[a-z][a-z-]*)", line):
                assert option in known | {"--help"}, f"{page.name}: {line}"
