import pytest
from transformers import FalconH1Config, GPT2Config, LlamaConfig, Mamba2Config, MistralConfig
from transformers.models.deepseek_v3 import DeepseekV3Config

from modelmuster.recipes.shrink import shrink


@pytest.mark.parametrize(("default", "after"), [(32, 4), (8, 2), (2, 2), (1, 1)])
def test_key_value_heads_keep_their_relation_to_the_heads(default, after):
    arguments = shrink(MistralConfig(num_attention_heads=32, num_key_value_heads=default)).arguments
    made = MistralConfig(**arguments) if "num_key_value_heads" in arguments else None
    assert made is not None
    assert (made.num_attention_heads, made.num_key_value_heads) == (4, after)


def test_attribute_names_of_old_configs_are_understood():
    arguments = shrink(GPT2Config()).arguments
    assert (arguments["n_embd"], arguments["n_head"], arguments["n_layer"]) == (32, 4, 2)


def test_state_space_heads_fill_the_expanded_width():
    made = Mamba2Config(**shrink(Mamba2Config()).arguments)
    assert made.num_heads * made.head_dim == made.expand * made.hidden_size


def test_a_latent_attention_head_is_its_rotated_part_and_the_rest():
    made = DeepseekV3Config(**shrink(DeepseekV3Config()).arguments)
    assert made.qk_head_dim == made.qk_nope_head_dim + made.qk_rope_head_dim


def test_what_is_derived_is_left_to_the_class():
    assert "head_dim" not in shrink(LlamaConfig()).arguments


def test_a_hybrid_of_attention_and_state_space_stays_consistent():
    made = FalconH1Config(**shrink(FalconH1Config()).arguments)
    assert made.mamba_n_heads * made.mamba_d_head == (made.mamba_d_ssm or made.mamba_expand * made.hidden_size)


def test_a_table_of_positions_follows_the_grid_that_it_is_laid_out_on():
    from transformers.models.muse_glimmer import MuseGlimmerConfig

    made = shrink(MuseGlimmerConfig()).arguments["vision_config"]
    assert made["max_position_embeddings"] == made["pos_emb_height"] * made["pos_emb_width"] == 16


def test_extents_of_tiled_images_stay_multiples_of_the_towers_image():
    from transformers import LlavaOnevisionConfig

    arguments = shrink(LlavaOnevisionConfig()).arguments
    side = arguments["vision_config"]["image_size"]
    assert all(extent % side == 0 for extents in arguments["image_grid_pinpoints"] for extent in extents)


def test_sides_of_feature_maps_follow_the_image():
    from transformers import Sam3Config

    vision = shrink(Sam3Config()).arguments["vision_config"]
    assert vision["backbone_feature_sizes"] == [[16, 16], [8, 8], [4, 4]]


def test_a_window_of_sound_stays_longer_than_the_rate_that_divides_it():
    from transformers import GraniteSpeechConfig

    config = GraniteSpeechConfig()
    assert shrink(config).arguments.get("window_size", config.window_size) >= config.downsample_rate


def test_a_width_that_doubles_ends_near_the_width_of_other_models():
    from transformers import EncodecConfig, SwinConfig

    swin, encodec = (made(**shrink(made()).arguments) for made in (SwinConfig, EncodecConfig))
    assert (swin.embed_dim, swin.hidden_size) == (8, 64)
    assert encodec.num_filters << len(encodec.upsampling_ratios) == 32


def test_the_last_of_doubled_widths_is_stated_as_what_it_becomes():
    from transformers import ClapAudioConfig

    arguments = shrink(ClapAudioConfig()).arguments
    assert arguments["hidden_size"] == arguments["patch_embeds_hidden_size"] << len(arguments["depths"]) - 1


def test_stages_of_equal_width_double_nothing():
    from transformers import Swin2SRConfig

    assert shrink(Swin2SRConfig()).arguments["embed_dim"] == 32


def test_the_first_of_stated_widths_is_the_width_of_the_patches():
    from transformers import Sam2HieraDetConfig

    arguments = shrink(Sam2HieraDetConfig()).arguments
    assert arguments["hidden_size"] == arguments["embed_dim_per_stage"][0]


def test_groups_of_a_normalised_level_have_more_than_one_channel():
    from transformers import DeformableDetrConfig

    assert shrink(DeformableDetrConfig()).arguments["d_model"] == 64


def test_a_small_model_stands_in_for_one_of_timm():
    from transformers import TimmBackboneConfig, TimmWrapperConfig

    assert shrink(TimmWrapperConfig()).arguments["architecture"] == "test_efficientnet"
    assert shrink(TimmBackboneConfig(backbone="resnet50")).arguments["backbone"] == "test_efficientnet"


def test_all_configs_of_one_image_state_the_size_that_the_towers_patches_divide():
    from transformers.models.sam3_tracker_video import Sam3TrackerVideoConfig

    arguments = shrink(Sam3TrackerVideoConfig()).arguments
    tower = arguments["vision_config"]["backbone_config"]
    assert arguments["image_size"] == arguments["prompt_encoder_config"]["image_size"] == tower["image_size"]
    assert arguments["memory_attention_rope_feat_sizes"] == [tower["image_size"] // 14] * 2


def test_memories_are_as_wide_as_the_code_says_and_less_than_what_they_are_made_of():
    from transformers import Sam2VideoConfig

    arguments = shrink(Sam2VideoConfig()).arguments
    made = Sam2VideoConfig(**arguments)
    assert made.memory_encoder_output_channels == 64
    widths = made.memory_encoder_hidden_size, made.mask_decoder_config.hidden_size, made.vision_config.fpn_hidden_size
    assert widths == (128, 128, 128)


def test_what_takes_four_patches_side_by_side_is_four_times_as_wide_as_the_tower():
    from transformers.models.muse_glimmer import MuseGlimmerConfig

    arguments = shrink(MuseGlimmerConfig()).arguments
    assert arguments["out_hidden_size"] == 4 * arguments["vision_config"]["hidden_size"]


def test_a_connector_learns_the_width_of_timms_stand_in():
    from transformers import FastVlmConfig

    arguments = shrink(FastVlmConfig()).arguments["vision_config"]
    assert (arguments["architecture"], arguments["hidden_size"]) == ("test_efficientnet", 256)


def test_a_width_that_halves_at_every_rate_ends_with_channels_left():
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniBigVGANConfig

    made = Qwen2_5OmniBigVGANConfig(**shrink(Qwen2_5OmniBigVGANConfig()).arguments)
    assert made.upsample_initial_channel >> len(made.upsample_rates) == 2


def test_the_last_stage_is_as_wide_as_those_that_it_gathers():
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniDiTConfig

    assert shrink(Qwen2_5OmniDiTConfig()).arguments["enc_channels"] == [32, 32, 32, 32, 96]


def test_a_map_of_codes_has_the_sides_of_the_small_image():
    from transformers.models.janus import JanusVQVAEConfig

    assert shrink(JanusVQVAEConfig()).arguments["num_patches"] == 4
