import json

import msgspec
import numpy as np
import pytest
import torch

from modelmuster.contracts import Subject
from modelmuster.errors import CannotBuild, NoInputs, TooLarge, Unavailable
from modelmuster.numerics.tensors import flatten, to_torch
from modelmuster.recipes import prepare, sessions, weights
from modelmuster.recipes.build import run_once
from modelmuster.recipes.identity import recipe_hash
from modelmuster.records import Architecture, Modality, Recipe, Scale, Stage


def outputs(subject):
    with torch.inference_mode():
        return flatten(subject.module(**to_torch(subject.inputs)))


@pytest.mark.parametrize("name", ["bert", "llama", "vit", "llava", "encoder_decoder"])
def test_a_model_is_built_and_runs(request, name):
    asked: Architecture = request.getfixturevalue(name)
    subject = prepare(asked, asked.default_class)
    assert not subject.module.training
    assert {value.dtype for value in subject.module.parameters()} == {torch.float32}
    assert set(asked.modalities) <= set(subject.recipe.modalities)
    assert all(np.isfinite(out.array).all() for out in outputs(subject).values())
    assert subject.recipe.parameters < 5_000_000


def test_what_a_module_keeps_of_its_trial_run_can_be_trained_with():
    class Keeping(torch.nn.Module):
        def forward(self, x):
            self.kept = x * 2
            return self.kept

    module = Keeping()
    run_once(module, {"x": torch.ones(2)})
    assert not module.kept.is_inference()


def test_the_same_question_gives_the_same_model_inputs_and_hash(llama):
    one, two = prepare(llama, llama.default_class), prepare(llama, llama.default_class)
    assert one.recipe == two.recipe
    for name, out in outputs(one).items():
        assert np.array_equal(out.array, outputs(two)[name].array)


def test_another_seed_gives_other_weights_and_another_hash(bert):
    one, two = prepare(bert, bert.default_class), prepare(bert, bert.default_class, seed=1)
    assert one.recipe.hash != two.recipe.hash
    assert not np.array_equal(outputs(one)["logits"].array, outputs(two)["logits"].array)


def test_the_hash_is_of_the_content_and_not_of_the_explanation(bert):
    recipe = prepare(bert, bert.default_class).recipe
    assert recipe.hash == recipe_hash(msgspec.structs.replace(recipe, applied=()), weights.VERSION)
    assert recipe.hash != recipe_hash(msgspec.structs.replace(recipe, layout="other"), weights.VERSION)


def test_a_recipe_survives_json(llava):
    recipe = prepare(llava, llava.default_class).recipe
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe) == recipe
    assert json.loads(json.dumps(recipe.config)) == recipe.config


def test_a_causal_class_of_a_masked_architecture_is_made_a_decoder(bert):
    subject = prepare(bert, "BertLMHeadModel")
    assert subject.module.config.is_decoder
    assert "is_decoder" in {entry.field for entry in subject.recipe.applied}


def test_a_subject_fulfils_the_contract(bert):
    subject: Subject = prepare(bert, bert.default_class)
    assert isinstance(subject.inputs["input_ids"], np.ndarray)
    reference = subject.reference(subject.inputs)
    assert reference["logits"].dtype == "float64"
    ours = outputs(subject)["logits"].array
    assert np.allclose(reference["logits"].array, ours, rtol=1e-4, atol=1e-5)


def test_stages_are_told_before_they_begin(vit):
    told = []
    prepare(vit, vit.default_class, entering=told.append)
    assert told[0] is Stage.BUILD
    assert told[-1] is Stage.INPUTS


def test_a_second_search_goes_where_the_first_ended(tmp_path, vit):
    first = prepare(vit, vit.default_class, cache_dir=tmp_path)
    (file,) = tmp_path.glob("*.json")
    assert json.loads(file.read_text())["layout"] == first.recipe.layout
    assert prepare(vit, vit.default_class, cache_dir=tmp_path).recipe == first.recipe


def test_a_remembered_route_that_no_longer_works_is_searched_again(tmp_path, vit):
    first = prepare(vit, vit.default_class, cache_dir=tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text('{"rung": 0, "repaired": false, "layout": "gone", "accepted": true}')
    assert prepare(vit, vit.default_class, cache_dir=tmp_path).recipe == first.recipe
    assert json.loads(file.read_text())["layout"] == first.recipe.layout


def test_a_failure_carries_its_cause_and_its_place(architecture, monkeypatch):
    monkeypatch.setattr(sessions, "attach", lambda module: None)
    tracker = architecture("sam3_tracker_video", "Sam3TrackerVideoModel", "video")
    with pytest.raises(NoInputs, match="inference_session") as error:
        prepare(tracker, "Sam3TrackerVideoModel")
    assert isinstance(error.value.__cause__, TypeError)


def test_an_unknown_class_cannot_be_built(bert):
    with pytest.raises(CannotBuild, match="BertForNothing"):
        prepare(bert, "BertForNothing")


def test_a_missing_distribution_is_named(bert):
    wanting = msgspec.structs.replace(bert, requires=("no-such-distribution",))
    with pytest.raises(Unavailable, match="no-such-distribution"):
        prepare(wanting, "BertForMaskedLM")


def test_a_distribution_whose_module_has_another_name_is_found(bert):
    wanting = msgspec.structs.replace(bert, requires=("pyyaml",))
    assert prepare(wanting, "BertForMaskedLM").recipe.layout == "text"


def test_a_default_size_that_does_not_fit_in_memory_is_refused_with_numbers(architecture):
    huge = architecture("deepseek_v3", "DeepseekV3ForCausalLM", "text", config_class="DeepseekV3Config")
    with pytest.raises(TooLarge, match=r"billion parameters.*GiB"):
        prepare(huge, "DeepseekV3ForCausalLM", scale=Scale.DEFAULT)


def test_a_default_size_that_fits_is_built(architecture):
    small = architecture("mobilebert", "MobileBertModel", "text", config_class="MobileBertConfig")
    subject = prepare(small, "MobileBertModel", scale=Scale.DEFAULT)
    assert subject.recipe.config == {}
    assert subject.recipe.parameters > 20_000_000


def test_every_modality_is_fed_in_one_call(llava):
    recipe = prepare(llava, llava.default_class).recipe
    assert set(recipe.modalities) == {Modality.TEXT, Modality.IMAGE}
    assert {"input_ids", "pixel_values"} <= {spec.name for spec in recipe.inputs}
