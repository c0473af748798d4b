"""`muster generate` and `muster coverage` as a user types them."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def muster(tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", "from modelmuster.cli import main; main()", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "COLUMNS": "200", "XDG_CACHE_HOME": str(tmp_path / "cache")},
            check=False,
        )

    return run


def test_a_file_is_made_looked_at_kept_and_merged(muster, tmp_path):
    looked = muster("generate", "bert", "-o", "out", "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert not (tmp_path / "out").exists()
    differs = muster("generate", "bert", "-o", "out", "--diff")
    assert differs.returncode == 1
    assert "+def test_bidirectional" in differs.stdout
    made = muster("generate", "bert", "-o", "out", "--json")
    [row] = json.loads(made.stdout)["files"]
    assert (row["fate"], row["family"]) == ("new", "encoder-only")
    path = tmp_path / "out" / "test_bert.py"
    assert 60 <= row["lines"] <= 200
    path.write_text(path.read_text().replace("TOLERANCE = 1e-4", "TOLERANCE = 1e-3"))
    kept = muster("generate", "bert", "-o", "out", "--check", "forward")
    assert "kept" in kept.stdout
    assert "--update" in kept.stderr
    merged = muster("generate", "bert", "-o", "out", "--check", "forward", "--update")
    assert "merged" in merged.stdout
    text = path.read_text()
    assert "TOLERANCE = 1e-3" in text
    assert "def test_forward" in text
    assert "def test_bidirectional" not in text
    covered = muster("coverage", "bert", "t5", "-o", "out", "--json")
    rows = {row["model_type"]: row for row in json.loads(covered.stdout)["architectures"]}
    assert (rows["bert"]["state"], rows["bert"]["edited"], rows["t5"]["state"]) == ("not run", True, "missing")
    assert json.loads(covered.stdout)["families"]["encoder-only"] == {"not run": 1}
    shown = muster("coverage", "bert", "t5", "-o", "out")
    assert [line.split() for line in shown.stdout.splitlines() if line.startswith(" high")] == [["high", "1", "1"]]
    shown = json.loads(muster("generate", "t5", "-o", "out", "--diff", "--json").stdout)
    assert "+def test_encoder_padding" in shown["files"][0]["diff"]
    rest = muster("generate", "bert", "t5", "-o", "out", "--missing", "--standalone")
    assert "test_t5.py" in rest.stdout
    assert "test_bert.py" not in rest.stdout
    nothing = muster("generate", "bert", "-o", "out", "--missing")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "nothing to do" in nothing.stderr


@pytest.mark.parametrize(
    ("words", "code", "near"),
    [
        (["generate"], 2, "muster generate bert"),
        (["generate", "bertt"], 2, "did you mean: bert"),
        (["generate", "nougat"], 2, "no file for nougat"),
        (["generate", "bert", "--priority", "urgent"], 2, "muster generate --help"),
        (["generate", "bert", "--check", "forwrd"], 2, "forward"),
        (["generate", "bert", "--classes", "some"], 2, "default or all"),
        (["generate", "bert", "--output", "/proc/x"], 2, "--output"),
        (["generate", "bert", "--templates", "."], 2, "holds no template"),
        (["generate", "--refresh-priority"], 2, "the hub cannot be asked"),
        (["coverage", "--priority", "urgent"], 2, "muster coverage --help"),
        (["coverage", "clvp", "--priority", "high"], 5, "no architecture of high priority"),
        (["coverage", "bert", "--html", "/nowhere/x.html"], 2, "--html"),
    ],
)
def test_what_cannot_be_done_is_a_message(muster, words, code, near):
    done = muster(*words)
    assert done.returncode == code, done.stderr
    assert near in done.stderr
    assert "Traceback" not in done.stderr


def test_hand_written_tests_are_never_overwritten(muster, tmp_path):
    (tmp_path / "test_bert.py").write_text("def test_mine():\n    pass\n")
    done = muster("generate", "bert", "-o", ".", "--force")
    assert done.returncode == 2
    assert "did not write it" in done.stderr
    assert "test_mine" in (tmp_path / "test_bert.py").read_text()


def test_a_template_with_an_error_is_named_with_its_line(muster, tmp_path):
    (tmp_path / "encoder-only.py.j2").write_text("ok\n{{ missing_thing }}\n")
    done = muster("generate", "bert", "--templates", ".", "-o", "out")
    assert done.returncode == 2
    assert "encoder-only.py.j2, line 2" in done.stderr
    assert not (tmp_path / "out").exists()
