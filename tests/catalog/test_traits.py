"""Properties that cut across families."""

import pytest

from modelmuster.catalog.facts import CodeFacts
from modelmuster.catalog.traits import traits
from modelmuster.records import Trait


def found(facts, made=None):
    return set(traits(facts, made))


@pytest.mark.parametrize(
    "settings",
    [
        {"num_experts": 8},
        {"text_config.n_routed_experts": 64},
        {"num_local_experts": 4},
        {"ffn_config.moe_num_experts": 4},
        {"num_experts": 8, "enable_moe_block": True},
    ],
)
def test_several_experts_are_a_mixture(type_facts, settings):
    assert found(type_facts(settings=settings)) == {Trait.MIXTURE_OF_EXPERTS}


@pytest.mark.parametrize(
    "settings",
    [{"num_experts": 1}, {"num_experts_per_tok": 2}, {"n_shared_experts": 2}, {"num_experts": 16384, "is_moe": False}],
)
def test_one_expert_or_a_switch_that_is_off_is_none(type_facts, settings):
    assert found(type_facts(settings=settings)) == set()


def test_a_number_left_open_counts_if_the_code_holds_experts(type_facts, class_facts):
    facts = type_facts(settings={"n_routed_experts": None})
    assert found(facts, class_facts(code=CodeFacts(experts=True))) == {Trait.MIXTURE_OF_EXPERTS}
    assert found(facts, class_facts()) == set()


def test_layers_with_a_state_are_named_in_the_config(type_facts):
    assert found(type_facts(settings={"layer_types": ["linear_attention", "full_attention"]})) == {Trait.STATE_SPACE}


def test_code_with_a_state_counts_only_where_the_config_lists_no_layers(type_facts, class_facts):
    made = class_facts(code=CodeFacts(recurs=True))
    assert found(type_facts(), made) == {Trait.STATE_SPACE}
    assert found(type_facts(settings={"layer_types": ["full_attention"]}), made) == set()


@pytest.mark.parametrize(
    "settings",
    [
        {"layer_types": ["full_attention", "sliding_attention"]},
        {"text_config.layer_types": ["chunked_attention"]},
        {"attention_layers": ["global", "local"]},
        {"sliding_window": 4096},
        {"attention_window": [512, 512]},
        {"local_attention": 128},
    ],
)
def test_a_window_that_moves_along(type_facts, settings):
    assert found(type_facts(settings=settings)) == {Trait.SLIDING_WINDOW}


@pytest.mark.parametrize(
    "settings",
    [
        {"sliding_window": None},
        {"sliding_window": 0},
        {"sliding_window": 4096, "layer_types": ["full_attention"]},
        {"window_size": 7},
    ],
)
def test_a_window_that_no_layer_uses_is_none(type_facts, settings):
    assert found(type_facts(settings=settings)) == set()


def test_decoder_inputs_make_an_encoder_decoder(type_facts, class_facts):
    made = class_facts("input_features", "decoder_input_ids")
    assert found(type_facts(made), made) == {Trait.ENCODER_DECODER}


def test_the_decoder_of_an_encoder_decoder_is_none(type_facts, class_facts):
    made = class_facts("input_ids", "encoder_hidden_states")
    assert found(type_facts(made, settings={"is_encoder_decoder": True}), made) == set()


@pytest.mark.parametrize("output", ["logits_per_image", "logits_audio_text"])
def test_outputs_that_compare_two_towers(type_facts, class_facts, output):
    assert found(type_facts(), class_facts(outputs=frozenset({"loss", output}))) == {Trait.TWO_TOWER}
    assert found(type_facts(), class_facts(outputs=frozenset({"loss", "logits"}))) == set()


def test_generative_is_what_the_library_says(type_facts, class_facts):
    assert found(type_facts(), class_facts(generates=True)) == {Trait.GENERATIVE}
