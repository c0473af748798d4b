"""What a pack is for: the same weights and inputs give the same numbers, and a changed model does not pass."""

import numpy as np
import torch
from safetensors import torch as tensors
from safetensors.torch import load_file, save_file
from transformers.models.bert import modeling_bert

import models
from modelmuster.checks.golden import GoldenOutputs
from modelmuster.checks.reference import Reference
from modelmuster.recipes.golden import pack, recording
from modelmuster.records import Outcome


def asked(check, subject, dtype="float32"):
    trial = models.trial(subject, dtype=dtype)
    assert check.applies(trial) is None
    return check.run(trial)


def test_an_unchanged_model_gives_the_recorded_outputs(root, opened):
    subject = opened(root)
    found = asked(GoldenOutputs(), subject)
    assert found.outcome is Outcome.PASS, found.message
    assert found.figures["recorded_with.transformers"] == "5.0.0"
    assert all(output.array.dtype == np.float64 for output in subject.golden.outputs.values())


def test_the_comparison_holds_in_bfloat16_too(root, opened):
    assert asked(GoldenOutputs(), opened(root), "bfloat16").outcome is Outcome.PASS


def test_the_stored_weights_are_half_as_large_and_exact(root, opened):
    subject, stored = opened(root), load_file(root / "bert" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.bfloat16}
    for name, parameter in subject.module.named_parameters():
        if name in stored:
            assert torch.equal(parameter, stored[name].float())


def test_a_model_that_is_wrong_in_itself_consistently_is_caught_by_the_pack_alone(root, opened, monkeypatch):
    def without_residual(self, hidden_states, input_tensor):
        return self.LayerNorm(self.dense(hidden_states))

    monkeypatch.setattr(modeling_bert.BertSelfOutput, "forward", without_residual)
    subject = opened(root)
    assert asked(Reference(), subject).outcome is Outcome.PASS
    found = asked(GoldenOutputs(), subject)
    assert found.outcome is Outcome.FAIL
    assert "transformers 5.0.0" in found.message


def test_weights_that_the_model_has_no_place_for_are_a_finding(root, opened):
    path = root / "bert" / "model.safetensors"
    weights = load_file(path)
    weights["bert.embeddings.new_table.weight"] = weights.pop("bert.embeddings.position_embeddings.weight")
    save_file(weights, path, metadata={"format": "pt"})
    pack.seal(root, pack.open_pack(root).manifest)
    found = asked(GoldenOutputs(), opened(root))
    assert found.outcome is Outcome.FAIL
    assert "position_embeddings" in found.message
    assert found.figures["unexpected_keys"] == 1


def test_a_model_that_comes_from_no_pack_is_not_asked():
    assert "muster run --golden" in GoldenOutputs().applies(models.trial(models.bert()))


def test_inputs_take_two_bytes_each_and_come_back_in_their_dictionaries(tmp_path):
    pixels = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
    arrays = {}
    stored = recording._stored(recording._rounded({"states": {"0": pixels}, "ids": [np.arange(3)]}), "x", arrays)
    assert {name: recording._narrow(array).element_size() for name, array in arrays.items()} == {
        "x.states.0": 2,
        "x.ids.0": 8,
    }
    tensors.save_file({name: recording._narrow(array) for name, array in arrays.items()}, tmp_path / "inputs")
    back = recording.restored({"x": stored}, tmp_path / "inputs")["x"]
    assert back["states"]["0"].dtype == np.float32
    assert np.abs(back["states"]["0"] - pixels).max() < 0.02
    assert back["ids"][0].tolist() == [0, 1, 2]
