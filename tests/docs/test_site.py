"""The documentation is built without a broken link, and its reference pages say all that the code has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.main import get_command

from modelmuster import plugins
from modelmuster.cli.app import app
from modelmuster.history.gate import Rules
from modelmuster.records import CellRecord, Outcome

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    surroundings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=surroundings)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def page(site, name):
    return (site / "reference" / name / "index.html").read_text(encoding="utf-8")


def test_every_command_with_every_option_is_in_it(site):
    text = page(site, "options")
    for name, command in get_command(app).commands.items():
        assert f"muster {name}<" in text, name
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.hidden:
                assert parameter.opts[0] in text, f"{name} {parameter.opts[0]}"


def test_targets_statuses_rules_and_fields_are_in_it(site):
    assert all(f"<code>{name}</code>" in page(site, "targets") for name in plugins.targets().names() if ":" in name)
    assert all(f"<code>{outcome.value}</code>" in page(site, "statuses") for outcome in Outcome)
    assert all(f"<code>{field.name}</code>" in page(site, "settings") for field in msgspec.structs.fields(Rules))
    assert all(f"<code>{field.name}</code>" in page(site, "schema") for field in msgspec.structs.fields(CellRecord))


def test_variables_of_the_environment_are_those_of_the_code(site):
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    used = set(re.findall(r"\bMUSTER_[A-Z_]+\b", code))
    assert used == set(re.findall(r"<code>(MUSTER_[A-Z_]+)</code>", page(site, "settings")))


def test_a_reader_s_browser_fetches_nothing(site):
    fetched = re.compile(r'<(?:script|link|img)[^>]*(?:src|href)="(https?://[^"]+)"')
    for path in site.rglob("*.html"):
        found = [link for link in fetched.findall(path.read_text(encoding="utf-8")) if "github.com" not in link]
        assert not found, f"{path}: {found}"
