from transformers import BertConfig, Gemma3TextConfig, JambaConfig, Qwen3NextConfig

from modelmuster.recipes.shrink import shrink
from modelmuster.recipes.shrink.layers import keep_layers


def test_a_config_without_kinds_keeps_two_layers(draft):
    made = draft(BertConfig())
    keep_layers(made)
    assert (made.layers, made.kept_layers) == (2, None)


def test_one_layer_of_each_kind_is_kept(draft):
    config = Gemma3TextConfig()
    made = draft(config)
    keep_layers(made)
    assert [config.layer_types[index] for index in made.kept_layers] == ["sliding_attention", "full_attention"]


def test_a_hybrid_model_keeps_its_linear_and_its_full_attention():
    config = Qwen3NextConfig(**shrink(Qwen3NextConfig()).arguments)
    assert set(config.layer_types) == {"linear_attention", "full_attention"}
    assert len(config.layer_types) == config.num_hidden_layers


def test_offsets_point_at_layers_that_exist():
    config = JambaConfig(**shrink(JambaConfig()).arguments)
    assert "attention" in config.layers_block_type
    assert "mamba" in config.layers_block_type


def test_what_single_layers_have_apart_is_shrunk_too():
    from transformers import Gemma4TextConfig

    made = Gemma4TextConfig(**shrink(Gemma4TextConfig()).arguments)
    assert [layer.head_dim for layer in made.per_layer_config] == [16, 16]
