import pytest
from transformers import BertConfig, ViTConfig

from modelmuster.recipes.shrink.fields import FLOAT_RULES, SCALAR_RULES

# One line per rule: the name of a real field, its default somewhere in the library, and what becomes of it.
CASES = [
    ("vocabulary", "vocab_size", 30522, 128),
    ("vocabulary", "vocab_size", 33, 33),
    ("token-id", "image_token_id", 151655, 127),
    ("token-id", "pad_token_id", 1, 1),
    ("vocabulary", "num_bpe_labels", 50257, 128),
    ("vocabulary", "num_hash_buckets", 16384, 128),
    ("experts-per-token", "num_experts_per_tok", 8, 2),
    ("experts-per-token", "top_k", 1, 1),
    ("experts", "num_local_experts", 8, 4),
    ("experts", "n_routed_experts", 256, 4),
    ("experts", "zero_expert_num", 256, 4),
    ("stages", "num_stages", 4, 4),
    ("shared-cache-layers", "num_kv_shared_layers", 15, 0),
    ("grouped-channels", "upsample_groups", 512, 32),
    ("residual-blocks", "num_res_blocks", 2, 1),
    ("layers", "num_hidden_layers", 32, 2),
    ("layers", "n_layer", 12, 2),
    ("layers", "num_decoder_layers", 1, 1),
    ("layers", "depth", 32, 2),
    ("expert-groups", "n_group", 8, 1),
    ("dense-layers-first", "first_k_dense_replace", 3, 1),
    ("rotary-width", "rotary_dim", 64, 4),
    ("rotary-head-width", "qk_rope_head_dim", 64, 8),
    ("head-width", "head_dim", 128, 16),
    ("head-width", "d_kv", 8, 8),
    ("raw-heads", "num_cross_attention_heads", 8, 1),
    ("head-count", "num_attention_heads", 12, 4),
    ("index-heads", "index_n_heads", 64, 16),
    ("index-heads", "index_n_heads", 4, 4),
    ("head-count", "n_head", 3, 2),
    ("rank", "kv_lora_rank", 512, 8),
    ("rank", "hc_lowrank", 320, 8),
    ("patch-size", "patch_size", 32, 16),
    ("patch-size", "patch_size", 14, 14),
    ("image-size", "image_size", 224, 64),
    ("image-size", "max_img_size", 2048, 64),
    ("folded-spectrogram", "spec_size", 256, 128),
    ("tokens-per-image", "mm_tokens_per_image", 256, 4),
    ("position-grid", "pos_emb_width", 64, 4),
    ("latent-side", "num_patches", 32, 4),
    ("latent-side", "num_patches", 256, 256),
    ("position-table", "num_position_embeddings", 2304, 16),
    ("positions", "max_position_embeddings", 2048, 128),
    ("positions", "position_embedding_size", 10240, 128),
    ("positions", "max_ep_len", 4096, 128),
    ("positions", "output_quantile_len", 1024, 128),
    ("sliding-window", "sliding_window", 4096, 8),
    ("queries", "num_queries", 100, 10),
    ("indexed-tokens", "index_topk", 2048, 8),
    ("codebook", "codebook_size", 1024, 64),
    ("codebooks", "num_codebooks", 32, 4),
    ("image-window", "window_size", 7, 2),
    ("image-window", "window_size", 24, 2),
    ("positional-kernel", "num_conv_pos_embeddings", 128, 16),
    ("positional-groups", "num_conv_pos_embedding_groups", 16, 2),
    ("chunk", "mamba_chunk_size", 256, 8),
    ("attention-context", "context_size", 200, 16),
    ("box-corner", "coordinate_size", 128, 4),
    ("box-side", "shape_size", 128, 8),
    ("position-features", "num_pos_feats", 128, 16),
    ("feature-width", "feature_size", 256, 32),
    ("feature-width", "feature_size", 80, 80),
    ("state-space-groups", "n_groups", 8, 2),
    ("parallel-convolutions", "conv_symmetric_num", 4, 1),
    ("rounded-widths", "divisor", 16, 8),
    ("normalised-groups", "num_groups", 32, 4),
    ("width-after-all", "downsample_hidden_size", 480, 32),
    ("width-after-all", "upsample_initial_channel", 512, 32),
    ("width-after-all", "vector_quantization_hidden_dimension", 256, 32),
    ("width-after-all", "d_inner", 3072, 32),
    ("width", "hidden_size", 768, 32),
    ("width", "d_ff", 2048, 32),
    ("width", "embed_dim", 96, 16),
    ("width", "d_latents", 1280, 32),
    ("width", "intermediate_size", 8, 8),
]


@pytest.mark.parametrize(("rule", "field", "before", "after"), CASES)
def test_the_first_rule_that_fits_is_the_one_meant(draft, rule, field, before, after):
    found = next(entry for entry in SCALAR_RULES if entry.fits(field))
    assert found.name == rule
    assert found.apply(before, draft(BertConfig())) == after


def test_every_rule_has_a_case_and_says_a_reason():
    assert {entry.name for entry in SCALAR_RULES} == {case[0] for case in CASES}
    assert all(entry.reason.endswith(".") for entry in SCALAR_RULES)


@pytest.mark.parametrize(
    "field",
    [
        *("num_channels", "kernel_size", "num_mel_bins", "stride", "max_new_tokens"),
        *("patch_embed_hidden_size", "model_in_dim", "rotary_embedding_base", "keypoint_decoder_dim"),
    ],
)
def test_fields_that_are_no_widths_are_left_alone(field):
    assert not [entry.name for entry in SCALAR_RULES if entry.fits(field)]


def test_an_image_is_four_patches_a_side(draft):
    image_size = next(entry for entry in SCALAR_RULES if entry.name == "image-size")
    assert image_size.apply(224, draft(ViTConfig(patch_size=14))) == 56


@pytest.mark.parametrize(
    ("rule", "field", "before", "after"),
    [
        ("initializer-range", "initializer_range", 1e-10, 0.02),
        ("initializer-range", "initializer_range", 0.02, 0.02),
        ("initializer-range", "init_std", 1.0, 1.0),
        ("depth-coefficient", "depth_coefficient", 3.1, 1.0),
        ("width-coefficient", "width_coefficient", 2.0, 1.0),
        ("width-multiplier", "depth_multiplier", 1.0, 0.125),
        ("table-scale", "scale", 0.75, 0.75),
    ],
)
def test_a_fraction_that_would_make_a_model_silent_deep_or_wide_is_mended(draft, rule, field, before, after):
    (found,) = (entry for entry in FLOAT_RULES if entry.fits(field))
    assert found.name == rule
    assert found.apply(before, draft(BertConfig())) == after
