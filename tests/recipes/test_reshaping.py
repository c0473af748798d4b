"""Other rows and other lengths: of what has such axes, and of nothing else."""

import numpy as np
import pytest

import models
from modelmuster.errors import CannotReshape
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import to_torch
from modelmuster.recipes.reshaping import attend_by, positions, reshaped, rows


def runs(subject):
    return call_seeded(subject.module, to_torch(subject.inputs))


def test_text_of_another_size_runs():
    other = reshaped(models.bert(), batch=3, sequence=20)
    assert runs(other).last_hidden_state.shape[:2] == (3, 20)
    assert {spec.name: spec.shape for spec in other.recipe.inputs}["input_ids"] == (3, 20)


def test_images_come_in_other_numbers_but_not_in_other_lengths():
    assert runs(reshaped(models.vit(), batch=5)).last_hidden_state.shape[0] == 5
    with pytest.raises(CannotReshape, match="plain text"):
        reshaped(models.vit(), sequence=20)
    with pytest.raises(CannotReshape, match="pixel_values"):
        reshaped(models.clip(), sequence=20)


def test_rows_are_repeated_and_segments_stretched():
    subject = models.bert()
    inputs = {**subject.inputs, "token_type_ids": (np.arange(12) >= 6).astype(np.int64) * np.ones((2, 1), np.int64)}
    other = reshaped(models.subject(subject.module, inputs, seed=None), batch=1, sequence=4)
    assert other.inputs["token_type_ids"].tolist() == [[0, 0, 1, 1]]
    assert other.inputs["input_ids"].tolist() == subject.inputs["input_ids"][:1, :4].tolist()


def test_a_text_longer_than_the_positions_is_refused_before_it_crashes():
    assert positions(models.bert().module) == 64
    with pytest.raises(CannotReshape, match="64 tokens, not for 65"):
        reshaped(models.bert(), sequence=65)


def test_the_same_size_is_the_same_recipe_and_another_is_another():
    subject = models.bert()
    assert reshaped(subject) is subject
    assert reshaped(subject, batch=3).recipe.hash != reshaped(subject, batch=4).recipe.hash


def test_inputs_without_common_rows_are_refused():
    inputs = {"input_ids": models.ids(2, 12), "pixel_values": models.noise(6, 3)}
    assert rows(inputs) is None
    with pytest.raises(CannotReshape, match="no axis"):
        reshaped(models.subject(models.bert().module, inputs, seed=None), batch=4)
    assert rows({"caches": object()}) is None


def test_attention_is_chosen_or_refused():
    subject = models.bert()
    attend_by(subject.module, "eager")
    assert subject.module.config._attn_implementation == "eager"
    with pytest.raises(CannotReshape, match="psychic"):
        attend_by(subject.module, "psychic")
