"""The list of what a release was built with names the release and everything that it needs."""

import json
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import modelmuster

pytestmark = pytest.mark.environments

TOOL = Path(__file__).parents[2] / "tools" / "sbom.py"


def test_it_names_the_release_and_each_thing_that_it_needs(tmp_path):
    file = tmp_path / "new" / "sbom.json"
    subprocess.run([sys.executable, str(TOOL), str(file)], check=True)
    written = json.loads(file.read_text())
    root = written["metadata"]["component"]
    assert (root["name"], root["version"]) == ("modelmuster", modelmuster.__version__)
    listed = {component["name"].lower(): component["version"] for component in written["components"]}
    needed = [Requirement(line) for line in requires("modelmuster") or ()]
    core = [one.name.lower() for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    assert {name: listed.get(name) for name in core} == {name: version(name) for name in core}
