from hypothesis import given
from hypothesis import strategies as st
from transformers import GPTNeoXConfig, Phi3Config, Qwen2_5_VLConfig

from modelmuster.recipes.shrink import shrink
from modelmuster.recipes.shrink.rope import split


@given(st.lists(st.integers(1, 64), min_size=3, max_size=3))
def test_a_split_adds_up_and_leaves_none_out(shares):
    parts = split(8, shares)
    assert sum(parts) == 8
    assert min(parts[1:]) >= 1


def test_missing_sections_add_up_to_half_a_head():
    made = Qwen2_5_VLConfig(**shrink(Qwen2_5_VLConfig()).arguments).text_config
    assert sum(made.rope_parameters["mrope_section"]) == made.hidden_size // made.num_attention_heads // 2


def test_long_factors_have_one_entry_for_each_frequency():
    rope = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 48, "long_factor": [2.0] * 48}
    config = Phi3Config(rope_parameters=rope, original_max_position_embeddings=4096)
    made = Phi3Config(**shrink(config).arguments)
    assert len(made.rope_parameters["long_factor"]) == made.hidden_size // made.num_attention_heads // 2


def test_the_rotated_part_of_a_head_has_two_frequencies_at_least():
    made = GPTNeoXConfig(**shrink(GPTNeoXConfig()).arguments)
    head = made.hidden_size // made.num_attention_heads
    assert head * made.rope_parameters["partial_rotary_factor"] >= 4
