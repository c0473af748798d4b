"""The direction of reading, judged by masks, recurrences and settings."""

import pytest

from modelmuster.catalog.attention import Direction, reading
from modelmuster.catalog.facts import CodeFacts


def code(*masks, by_role=(), triangles=False):
    return CodeFacts(masks=frozenset(masks), masks_by_role=frozenset(by_role), triangles=triangles)


def test_a_causal_mask_that_is_always_made_reads_causally(type_facts, class_facts):
    facts = type_facts(class_facts("input_ids", code=code("create_causal_mask", "create_bidirectional_mask")))
    assert reading(facts, {}).direction is Direction.CAUSAL


@pytest.mark.parametrize(("is_decoder", "direction"), [(False, Direction.BOTH_WAYS), (True, Direction.CAUSAL)])
def test_a_mask_that_depends_on_is_decoder_follows_the_config(type_facts, class_facts, is_decoder, direction):
    either = code(by_role=("create_causal_mask", "create_bidirectional_mask"))
    facts = type_facts(class_facts("input_ids", code=either), settings={"is_decoder": is_decoder})
    assert reading(facts, {}).direction is direction


def test_a_causal_language_model_by_its_mapping_reads_both_ways_if_its_only_mask_does(type_facts, class_facts):
    made = class_facts(
        "input_ids", tasks=("TOKEN_CLASSIFICATION",), code=code("create_bidirectional_sliding_window_mask")
    )
    assert reading(type_facts(made, settings={"use_cache": True}), {}).direction is Direction.BOTH_WAYS


def test_a_causal_mask_counts_even_if_the_config_is_no_decoder(type_facts, class_facts):
    facts = type_facts(class_facts("input_ids", code=code("create_causal_mask")), settings={"is_decoder": False})
    assert reading(facts, {}).direction is Direction.CAUSAL


def test_decoder_ids_make_an_encoder_decoder(type_facts, class_facts):
    facts = type_facts(class_facts("input_ids", "decoder_input_ids", code=code("create_causal_mask")))
    assert reading(facts, {}).direction is Direction.ENCODER_DECODER


def test_a_decoder_alone_is_none(type_facts, class_facts):
    alone = class_facts("input_ids", "encoder_hidden_states", code=code("create_causal_mask"))
    assert reading(type_facts(alone, settings={"is_encoder_decoder": True}), {}).direction is Direction.CAUSAL


def test_a_recurrent_state_reads_causally(type_facts, class_facts):
    facts = type_facts(class_facts("input_ids", "cache_params", generates=True))
    assert reading(facts, {}).direction is Direction.CAUSAL


def test_a_setting_can_say_both_ways(type_facts, class_facts):
    made = class_facts("input_ids", tasks=("CAUSAL_LM",), code=code(triangles=True))
    assert reading(type_facts(made, settings={"attn_type": "bi"}), {}).direction is Direction.BOTH_WAYS
    assert reading(type_facts(made), {}).direction is Direction.CAUSAL


def test_a_triangle_alone_proves_nothing(type_facts, class_facts):
    facts = type_facts(class_facts("input_ids", tasks=("MASKED_LM",), code=code(triangles=True)))
    assert reading(facts, {}).direction is Direction.BOTH_WAYS


def test_a_wrapper_reads_as_what_it_wraps(type_facts, class_facts):
    inner = type_facts(class_facts("input_ids", code=code("create_causal_mask")), name="inner")
    outer = type_facts(class_facts("input_ids"), name="outer", contains={"text_config": "inner"})
    assert reading(outer, {"inner": inner, "outer": outer}).direction is Direction.CAUSAL


def test_types_that_contain_each_other_end(type_facts, class_facts):
    one = type_facts(class_facts("input_ids"), name="one", contains={"other_config": "two"})
    two = type_facts(class_facts("input_ids"), name="two", contains={"other_config": "one"})
    assert reading(one, {"one": one, "two": two}).direction is Direction.BOTH_WAYS
