"""Hidden packages look as if they were not installed, to the import system and to package metadata, in children too."""

import json
import os
import subprocess
import sys

import pytest

LOOK = """
import importlib, importlib.metadata, importlib.util, json, sys
import modelmuster
def state(module, distribution):
    found = importlib.util.find_spec(module) is not None
    try:
        importlib.metadata.version(distribution)
        known = True
    except importlib.metadata.PackageNotFoundError:
        known = False
    listed = distribution in {entry.name.lower() for entry in importlib.metadata.distributions()}
    try:
        importlib.import_module(module)
        imported = True
    except ModuleNotFoundError as error:
        imported = error.name != module
    return [found, known, listed, imported]
if __name__ == "__main__":
    print(json.dumps({name: state(*name.split("|")) for name in sys.argv[1:]}))
"""


def look(hidden, *names, environment=(), code=LOOK):
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        env={**os.environ, **dict(environment), "MUSTER_HIDE": hidden},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("hidden", ["scipy,pillow", "PIL, SciPy", "scipy.stats,Pillow"])
def test_a_hidden_package_is_gone_by_either_of_its_names(hidden):
    found, _ = look(hidden, "scipy|scipy", "PIL|pillow", "safetensors|safetensors")
    assert found == {"scipy|scipy": [False] * 4, "PIL|pillow": [False] * 4, "safetensors|safetensors": [True] * 4}


def test_what_is_not_installed_can_be_hidden_all_the_same():
    found, errors = look("no-such-package", "no_such_package|no-such-package")
    assert (found, errors) == ({"no_such_package|no-such-package": [False] * 4}, "")


def test_what_the_package_itself_needs_stays_with_a_warning():
    found, errors = look("numpy,scipy", "numpy|numpy", "scipy|scipy")
    assert found == {"numpy|numpy": [True] * 4, "scipy|scipy": [False] * 4}
    assert "cannot hide numpy: needed by this package itself" in errors


def test_what_was_imported_before_stays_with_a_warning():
    found, errors = look("scipy", "scipy|scipy", code="import scipy\n" + LOOK)
    assert found["scipy|scipy"][3]
    assert "cannot hide scipy: imported already" in errors


def test_children_inherit_it_however_they_are_started():
    code = """
import json, multiprocessing, sys
import modelmuster.runs.environment as environment
from modelmuster.runs.forkserver import server, spawn_context, without_main
def versions(context):
    with without_main(), context.Pool(1) as pool:
        return pool.apply(environment._version, ("scipy",)), pool.apply(environment._version, ("safetensors",)) is None
server.context.set_forkserver_preload(["modelmuster.runs.preload"])
print(json.dumps([versions(server.context), versions(spawn_context())]))
"""
    found, _ = look("scipy", code=code)
    assert found == [[None, False], [None, False]]
