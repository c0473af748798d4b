"""Plug-ins of others are tried in a process of their own: what they do there is a finding, never our end."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def doctor(tmp_path):
    """What `muster doctor` says of a distribution with one check whose module has this body."""

    def told(body):
        (tmp_path / "foreign_plugin.py").write_text(body)
        described = tmp_path / "foreign_plugin-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-plugin\nVersion: 1.0\n")
        (described / "entry_points.txt").write_text("[modelmuster.checks]\nforeign = foreign_plugin:Foreign\n")
        done = subprocess.run(
            [sys.executable, "-m", "modelmuster", "doctor", "--json"],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["broken_plugins"]

    return told


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise OSError('no such library')", "OSError: no such library"),
        ("import os; os.abort()", "the process that loaded it was killed by SIGABRT"),
        ("raise SystemExit(3)", "exit code 3"),
    ],
)
def test_a_plug_in_that_breaks_or_dies_is_named(doctor, body, error):
    [broken] = [entry for entry in doctor(body) if entry["distribution"] == "foreign-plugin"]
    assert (broken["name"], broken["group"]) == ("foreign", "modelmuster.checks")
    assert error in broken["error"]


def test_finding_out_whether_torch_knows_cards_does_not_import_it():
    code = "from modelmuster.targets.torch_devices import built_for_cards; import sys; print(built_for_cards())"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], capture_output=True, text=True, check=True
    )
    import torch

    assert done.stdout.strip() == str(torch.version.cuda is not None or torch.version.hip is not None)
