"""Python code that comes with a checkpoint runs only when it is asked to."""

import pytest
import torch
from safetensors.torch import save_file

from modelmuster.errors import CannotBuild

CODE = """
import pathlib
import torch
from transformers import PreTrainedConfig, PreTrainedModel

pathlib.Path(__file__).with_name("ran").touch()
pathlib.Path({mark!r}).touch()


class OwnConfig(PreTrainedConfig):
    model_type = "own"
    width: int = 8
    vocab_size: int = 20


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.table = torch.nn.Embedding(config.vocab_size, config.width)
        self.post_init()

    def forward(self, input_ids):
        return (self.table(input_ids).cumsum(1),)
"""


@pytest.fixture
def mark(tmp_path):
    """A file that the checkpoint's code makes when it runs."""
    return tmp_path / "mark"


@pytest.fixture
def own(tmp_path, mark, monkeypatch):
    """A checkpoint whose model is only in its own code."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "modeling_own.py").write_text(CODE.format(mark=str(mark)))
    (folder / "config.json").write_text(
        '{"model_type": "own", "architectures": ["OwnModel"], "width": 8, "vocab_size": 20, "auto_map": '
        '{"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"}}'
    )
    save_file({"table.weight": torch.randn(20, 8)}, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_it_is_refused_unasked_and_nothing_of_it_runs(own, mark, open_):
    with pytest.raises(CannotBuild, match="not run unasked") as error:
        open_(own)
    assert "--trust-remote-code" in error.value.hint
    assert not mark.exists()


def test_it_runs_when_it_is_trusted(own, mark, open_):
    subject = open_(own, trusted=True)
    assert mark.exists()
    assert type(subject.module).__name__ == "OwnModel"
    assert subject.recipe.parameters == 160


def test_a_type_of_the_library_is_run_with_the_librarys_code(folder, edit, mark, open_):
    (folder / "modeling_own.py").write_text(CODE.format(mark=str(mark)))
    edit(auto_map={"AutoModel": "modeling_own.OwnModel"})
    recipe = open_(folder).recipe
    assert [entry.rule for entry in recipe.applied] == ["own-code"]
    assert not mark.exists()


def test_a_class_that_only_its_code_has_is_refused_even_for_a_type_of_the_library(folder, edit, mark, open_):
    (folder / "modeling_own.py").write_text(CODE.format(mark=str(mark)))
    edit(auto_map={"AutoModel": "modeling_own.OwnModel"}, architectures=["OwnModel"])
    with pytest.raises(CannotBuild, match="OwnModel is not in transformers"):
        open_(folder)
    assert not mark.exists()
