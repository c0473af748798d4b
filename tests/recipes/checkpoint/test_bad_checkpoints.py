"""Checkpoints that are not well: each is refused with what is wrong, in bounded time and memory, and nothing is run."""

import json
import shlex
import struct
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from modelmuster.errors import CannotBuild, TooLarge, UsageError
from modelmuster.recipes.checkpoint import described

WEIGHTS = "model.safetensors"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "has no config.json"),
        ("{", "is not JSON"),
        ("\xff\xfe", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "names no model type"),
        ("{}", "names no model type"),
        ('{"model_type": 7}', "names no model type"),
    ],
)
def test_a_config_that_cannot_be_read_cannot_be_planned(folder, content, said):
    path = folder / "config.json"
    path.unlink() if content is None else path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match=said):
        described(str(folder))


def test_an_adapter_is_said_to_be_one(folder):
    (folder / "config.json").rename(folder / "adapter_config.json")
    with pytest.raises(UsageError) as error:
        described(str(folder))
    assert "merge" in error.value.hint


def test_pickled_weights_are_refused_and_the_way_to_convert_them_works(folder, small, open_, monkeypatch):
    torch.save(small.state_dict(), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    with pytest.raises(CannotBuild, match=r"pickled \(pytorch_model.bin\)") as error:
        open_(folder)
    python, option, script = shlex.split(error.value.hint.partition(": ")[2])
    assert [python, option] == ["python", "-c"]
    exec(script)
    assert open_(f"{folder}-safetensors").recipe.parameters == sum(p.numel() for p in small.parameters())


def test_weights_of_other_libraries_are_named(folder, open_):
    (folder / WEIGHTS).rename(folder / "consolidated.safetensors")
    with pytest.raises(CannotBuild, match=r"no model.safetensors, but consolidated.safetensors"):
        open_(folder)


def test_missing_weights_are_said(folder, open_):
    (folder / WEIGHTS).unlink()
    with pytest.raises(CannotBuild, match="no weights"):
        open_(folder)


@pytest.mark.parametrize("kept", [0, 4, 100, -100])
def test_a_truncated_file_is_damaged(folder, kept, open_):
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CannotBuild, match=r"model.safetensors is damaged"):
        open_(folder)


def test_a_header_that_promises_more_than_the_file_holds_is_damaged(folder, open_):
    header = json.dumps({"w": {"dtype": "F32", "shape": [2_500_000_000_000], "data_offsets": [0, 10_000_000_000_000]}})
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(header)) + header.encode())
    with pytest.raises(CannotBuild, match="damaged"):
        open_(folder)


def test_missing_shards_are_named(small, tmp_path, open_):
    small.save_pretrained(tmp_path / "sharded", max_shard_size="20KB")
    first = min((tmp_path / "sharded").glob("model-*.safetensors"))
    first.unlink()
    with pytest.raises(CannotBuild, match=f"weight files are missing: {first.name}"):
        open_(tmp_path / "sharded")


@pytest.mark.parametrize("index", ["{", "[]", "{}", '{"weight_map": {"w": "../model.safetensors"}}'])
def test_an_index_that_is_none_is_refused(folder, index, open_):
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CannotBuild, match=r"index.json (is no index|names no files of its own folder)"):
        open_(folder)


def test_weights_of_another_shape_are_refused(folder, edit, open_):
    edit(intermediate_size=48)
    with pytest.raises(CannotBuild, match=r"intermediate.dense.bias is \[64\] in the files and \[48\] in the model"):
        open_(folder)


def test_weights_that_are_missing_in_the_file_are_named(folder, open_):
    weights = load_file(folder / WEIGHTS)
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(CannotBuild, match=r"1 weights of BertModel are not in the files: encoder.layer.1.output"):
        open_(folder)


def test_a_config_that_cannot_be_built_is_the_cells_outcome(folder, edit, open_):
    edit(num_attention_heads=5)
    with pytest.raises(CannotBuild, match=r"no BertModel can be made of its config: .*multiple of the number"):
        open_(folder)


def test_a_config_of_another_kind_of_values_is_the_cells_outcome(folder, edit, open_):
    edit(hidden_size="wide")
    with pytest.raises(CannotBuild, match="config"):
        open_(folder)


@pytest.mark.parametrize("wish", [{"hidden_size": 1_000_000, "num_hidden_layers": 100}, {"num_hidden_layers": 10**12}])
def test_a_config_that_asks_for_terabytes_is_refused_before_memory_is_touched(folder, edit, wish, open_):
    resource = pytest.importorskip("resource")
    edit(**wish)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CannotBuild, match="they do not belong together"):
        open_(folder)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 << (20 if sys.platform == "darwin" else 10)


def test_weights_that_do_not_fit_in_memory_are_refused_by_their_header(folder, open_):
    size = 10 << 40
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    with (folder / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        try:
            file.truncate(8 + len(header) + size)
        except OSError:
            pytest.skip("this file system has no sparse files of 10 TiB")
    with pytest.raises(TooLarge, match=r"running them needs 20480.0 GiB"):
        open_(folder)


def test_an_unknown_type_is_named_with_the_version_that_wrote_it(folder, edit, open_):
    edit(model_type="bert9", transformers_version="9.1.0")
    with pytest.raises(CannotBuild, match=r"has no model type 'bert9', and the checkpoint was written by 9.1.0"):
        open_(folder)


def test_an_unknown_class_is_named(folder, open_):
    with pytest.raises(CannotBuild, match="no class BertForNothing"):
        open_(folder, "BertForNothing")


def test_quantised_weights_are_refused(folder, edit, open_):
    edit(quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(CannotBuild, match=r"quantised \(gptq\)"):
        open_(folder)
