import json

from transformers import (
    AutoConfig,
    BertConfig,
    ConvNextBackbone,
    ConvNextConfig,
    DINOv3ConvNextConfig,
    LlavaConfig,
    ResNetConfig,
)

from modelmuster.recipes.shrink import Kind, shrink
from modelmuster.recipes.shrink.ladder import LADDER


def test_every_change_is_explained():
    made = shrink(BertConfig())
    assert {entry.field for entry in made.applied} == set(made.arguments)
    assert all(entry.rule and entry.reason and entry.before != entry.after for entry in made.applied)


def test_the_arguments_are_json_and_build_the_config():
    arguments = json.loads(json.dumps(shrink(LlavaConfig()).arguments))
    made = LlavaConfig(**arguments)
    assert made.text_config.hidden_size == 32
    assert made.image_token_index < made.text_config.vocab_size


def test_dropout_and_activation_stay_as_the_default_has_them():
    default, made = BertConfig(), BertConfig(**shrink(BertConfig()).arguments)
    assert made.hidden_dropout_prob == default.hidden_dropout_prob > 0
    assert made.hidden_act == default.hidden_act


def test_what_a_parent_passes_to_a_part_is_passed_again():
    default = LlavaConfig()
    made = LlavaConfig(**shrink(default).arguments)
    assert made.vision_config.projection_dim == shrink(default).arguments["vision_config"]["projection_dim"]
    assert made.vision_config.model_type == default.vision_config.model_type


def test_a_convolutional_network_is_narrowed_in_every_stage():
    assert ResNetConfig(**shrink(ResNetConfig()).arguments).hidden_sizes == [32, 32, 32, 32]


def test_a_list_that_the_class_fills_with_constants_is_narrowed_too():
    assert DINOv3ConvNextConfig(**shrink(DINOv3ConvNextConfig()).arguments).hidden_sizes == [16, 32, 32, 32]


def test_a_relaxed_kind_is_left_at_its_default():
    arguments = shrink(BertConfig(), relaxed=frozenset({Kind.WIDTH.value})).arguments
    assert "hidden_size" not in arguments
    assert arguments["num_hidden_layers"] == 2


def test_the_first_rung_relaxes_nothing_and_the_last_the_most():
    assert LADDER[0] == frozenset()
    assert max(LADDER, key=len) == LADDER[-1]
    assert set().union(*LADDER) <= {kind.value for kind in Kind}


def test_the_default_config_is_not_changed():
    default = AutoConfig.for_model("llava")
    before = default.to_json_string()
    shrink(default)
    assert default.to_json_string() == before


def test_tuples_of_the_defaults_are_passed_as_the_lists_that_json_would_give():
    arguments = shrink(ConvNextConfig(), relaxed=frozenset({"list-width", "depths"})).arguments
    assert arguments["hidden_sizes"] == [96, 192, 384, 768]
    assert ConvNextBackbone(ConvNextConfig(**arguments)).channels
