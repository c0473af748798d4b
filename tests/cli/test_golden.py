"""`muster golden` and `muster run --golden`, as typed, on real models in processes of their own."""

import os
import subprocess
import sys

import pytest


def muster(*words, home, timeout=240):
    return subprocess.run(
        [sys.executable, "-c", "from modelmuster.cli import main; main()", *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "COLUMNS": "200", "MUSTER_HOME": str(home)},
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A home, and a pack of three models in it."""
    home = tmp_path_factory.mktemp("home")
    done = muster("golden", "record", str(home / "pack"), "bert", "vit", "vit_mae", home=home)
    assert done.returncode == 0, done.stderr
    return home, home / "pack", done.stderr


def test_recording_says_how_large_the_pack_is_and_writes_hashes(recorded):
    _, pack, said = recorded
    assert "3 models" in said
    assert (pack / "bert" / "model.safetensors").exists()
    assert (pack / "SHA256SUMS").exists()


def test_the_pack_is_verified_and_passes_on_the_version_that_made_it(recorded):
    home, pack, _ = recorded
    done = muster("golden", "verify", str(pack), home=home)
    assert done.returncode == 0, done.stderr
    done = muster(
        *("run", "bert", "vit", "--golden", str(pack), "-t", "torch:cpu", "-c", "golden", "--no-progress"), home=home
    )
    assert done.returncode == 0, done.stderr
    assert "2 pass" in done.stderr


def test_a_run_on_a_damaged_pack_is_refused_before_it_starts(recorded):
    home, pack, _ = recorded
    path = pack / "bert" / "outputs.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    try:
        done = muster("run", "bert", "--golden", str(pack), "-t", "torch:cpu", home=home)
    finally:
        path.write_bytes(content)
    assert done.returncode == 2
    assert "refused: bert/outputs.safetensors is not what was recorded" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "near"),
    [
        (["golden", "record", "{pack}", "bert"], 2, "not empty"),
        (["golden", "verify", "nowhere"], 2, "muster golden record"),
        (["run", "bert", "--golden", "nowhere", "-t", "torch:cpu"], 2, "no golden pack"),
        (["run", "gpt2", "--golden", "{pack}", "-t", "torch:cpu"], 5, "holds nothing of what was selected"),
        (["run", "bert", "--golden", "{pack}", "-t", "torch:cpu", "--class", "BertModel"], 2, "--class"),
    ],
)
def test_bad_input_gets_a_clear_message(recorded, words, code, near):
    home, pack, _ = recorded
    done = muster(*(word.format(pack=pack) for word in words), home=home)
    assert done.returncode == code, done.stderr
    assert near in done.stderr
    assert "Traceback" not in done.stderr
