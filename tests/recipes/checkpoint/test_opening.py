"""Checkpoints that are well: their own weights, unchanged, in a subject like any other."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertForPreTraining

from modelmuster.errors import CannotBuild
from modelmuster.numerics.tensors import flatten, to_torch
from modelmuster.records import Modality, Scale, Stage


def answer(subject):
    with torch.inference_mode():
        return flatten(subject.module(**to_torch(subject.inputs)))


def test_a_pretrained_model_has_the_weights_and_the_meaning_that_it_was_trained_for(pretrained, open_):
    subject = open_(pretrained)
    assert subject.recipe.scale is Scale.CHECKPOINT
    assert subject.recipe.layout == "own:tokenizer"
    assert subject.recipe.parameters == 22_713_216
    tokenizer = AutoTokenizer.from_pretrained(pretrained)
    texts = ["A cat sits on the sofa.", "A kitten is lying on the couch.", "The central bank raised interest rates."]
    with torch.inference_mode():
        given = tokenizer(texts, padding=True, return_tensors="pt")
        hidden = subject.module(**given).last_hidden_state * given["attention_mask"][..., None]
    near, far = torch.nn.functional.cosine_similarity(hidden.sum(1)[:1], hidden.sum(1)[1:])
    assert near > 0.6
    assert far < 0.2
    reference = subject.reference(subject.inputs)["last_hidden_state"]
    assert np.allclose(reference.array, answer(subject)["last_hidden_state"].array, atol=1e-4)


def test_weights_are_those_of_the_files(folder, small, open_):
    subject = open_(folder)
    ours, theirs = subject.module.state_dict(), small.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not subject.module.training
    assert subject.recipe.modalities == (Modality.TEXT,)


def test_without_a_tokenizer_the_inputs_are_drawn_for_the_real_config(folder, open_):
    recipe = open_(folder).recipe
    assert recipe.layout == "text"
    assert recipe.config["hidden_size"] == 32
    assert recipe.applied == ()


def test_sharded_weights_are_put_together(small, tmp_path, open_):
    small.save_pretrained(tmp_path / "sharded", max_shard_size="20KB")
    assert len(list((tmp_path / "sharded").glob("model-*.safetensors"))) > 2
    small.save_pretrained(tmp_path / "whole")
    sharded, whole = open_(tmp_path / "sharded"), open_(tmp_path / "whole")
    for name, output in answer(whole).items():
        assert np.array_equal(answer(sharded)[name].array, output.array)


def test_half_precision_files_are_run_in_float32(small, tmp_path, open_):
    small.to(torch.bfloat16).save_pretrained(tmp_path / "half")
    module = open_(tmp_path / "half").module
    assert {value.dtype for value in module.parameters()} == {torch.float32}
    kept = AutoModel.from_pretrained(tmp_path / "half", dtype=torch.float32)
    assert torch.equal(module.embeddings.word_embeddings.weight, kept.embeddings.word_embeddings.weight)


def test_the_hash_is_of_the_weights_content(folder, small, tmp_path, open_):
    first = open_(folder).recipe
    small.save_pretrained(tmp_path / "again")
    assert open_(tmp_path / "again").recipe.hash == first.hash
    with torch.no_grad():
        small.pooler.dense.bias[0] += 1e-6
    small.save_pretrained(tmp_path / "other")
    other = open_(tmp_path / "other").recipe
    assert other.weights_hash != first.weights_hash
    assert other.hash != first.hash


def test_weights_of_other_heads_are_left_out_and_named(small, tmp_path, open_):
    BertForPreTraining(small.config).save_pretrained(tmp_path / "whole")
    recipe = open_(tmp_path / "whole", "BertModel").recipe
    assert "cls.predictions.bias" in {entry.field for entry in recipe.applied if entry.rule == "weights"}


def test_a_head_that_the_files_lack_is_no_random_head(folder, open_):
    with pytest.raises(CannotBuild, match=r"BertForMaskedLM are not in the files: .*cls\.predictions") as error:
        open_(folder, "BertForMaskedLM")
    assert "--class" in error.value.hint


def test_stages_are_told(folder, open_):
    told = []
    open_(folder, entering=told.append)
    assert told == [Stage.BUILD, Stage.INPUTS]
