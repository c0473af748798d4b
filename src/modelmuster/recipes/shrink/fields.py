"""Rules for single integers, in order: the first whose pattern fits the field's name decides.

The patterns are over lower-cased field names. Specific ones stand before the general width rule at the end.
"""

from __future__ import annotations

from modelmuster.recipes.shrink import sizes
from modelmuster.recipes.shrink.draft import Draft
from modelmuster.recipes.shrink.rule import FieldRule, Kind, field_rule

TOKEN_ID = r"(token_id|token_index|token_ids|_tok_id|token_idx|_token|_id)$"  # noqa: S105
"""`eos_token_id`, `image_token_index`, `media_placeholder_token`."""

LAYER_COUNT = (
    r"(^|_)(num|n)_(\w+_)?(layers?|blocks?|stacks)$"  # num_hidden_layers, n_layer, num_decoder_blocks
    r"|^depth$|^(num_)?layers$|_num_blocks$|^num_hidden_layers\w*$"
    r"|(^|_)(encoder|decoder|attention|transformer|hidden|fusion|conv|text|vision|cross|temporal)_(layers|blocks|depth)$"
    r"|^[lxr]_layers$"  # the three stacks of LXMERT
    r"|^mt_layers$"
)

WIDTH = (
    r"hidden|embed|dim|width|channel|size|d_model|d_latents|d_ff|n_embd|n_inner|ffn|planes|filters|features|units|intermediate"
    r"|bottleneck|proj"
)
"""Words of which any makes a field a width of a tensor, unless `NOT_WIDTH` says that it is something else."""

NOT_WIDTH = (
    r"patch_embed_hidden|patch(?!_embed_dim)|kernel|stride|padding|dilation|pool|conv_ker|d_conv|conv_size|depth_multiplier"
    r"|image|crop|resolution|grid|tile|anchor|in_channels$|^num_channels$|input_channels|n_channels|side|tubelet|merge"
    r"|window|position|sequence|block_size|chunk|bucket|shift|context|prompt|cache|index_|^scale|scaling"
    r"|batch|num|group|hash|feature_size|^input_size|vocab|codebook_size|lag|upsampl|downsampl"
    r"|_act|dropout|prob|std|range|rate|ratio|coef|cost|eps|init|loss|eval|max_|min_|axis|quantization"
    r"|pos_emb_|frame|temporal|time_dim|mel|spectrogram|fft|sampling|sample|hop"
    r"|action|state_dim|real_features|cat_features|embedding_dimension|_base$|rope_feat|model_in_dim|keypoint_decoder"
)

WIDTH_AFTER_ALL = (
    r"(hidden_(size|dim|dimension|channels)|(mid|embed|feature)_dims?|intermediate_size|conv_channels|filter_channels"
    r"|predictor_channels|initial_channel|downsample_channels)$"
    r"|^(d_inner|dff|class_expand|mask_feature_size|post_conv_in_channels)$"
)
"""Endings that say that it is a width, whatever `NOT_WIDTH` finds before them: `downsample_hidden_size`."""

FLAT_PATCH = r"patch_embeds?_hidden|patch_embed_dim|state_dim|action|real_features|cat_features|time_dim"
"""What ends like a width, but is the number of values of one patch, state or feature."""


@field_rule(
    r"vocab(ulary)?_size|_vocab$|^n_vocab|^num_vocab|^num_\w+_labels$|^num_hash_buckets$",
    Kind.VOCABULARY,
    but_not=r"type",
)
def vocabulary(value: int, _draft: Draft) -> int:
    """The embedding table is most of a small model; 128 entries leave room for ordinary and special ids."""
    return min(value, sizes.VOCABULARY)


@field_rule(TOKEN_ID, Kind.VOCABULARY)
def token_id(value: int, draft: Draft) -> int:
    """Special token ids must lie inside the small vocabulary and stay distinct."""
    moved: int = draft.tokens.move(value)
    return moved


@field_rule(
    r"experts_per_tok|top_?k(_experts)?$|moe_topk|moe_k$|experts_top_k|num_selected_experts",
    Kind.EXPERTS,
    but_not=r"index_topk",
)
def experts_per_token(value: int, _draft: Draft) -> int:
    """Two experts a token, where the default has more than one: routing weights are then really mixed."""
    return min(value, sizes.EXPERTS_PER_TOKEN)


@field_rule(
    r"(num|n)_(\w*_)?experts?$|n_routed_experts|moe_num_experts|^zero_expert_num$", Kind.EXPERTS, but_not=r"group"
)
def experts(value: int, _draft: Draft) -> int:
    """Four experts: more than a token picks, so that the router has a choice."""
    return min(value, sizes.EXPERTS)


@field_rule(r"^(n_group|num_expert_group|topk_group)$", Kind.EXPERTS)
def expert_groups(_value: int, _draft: Draft) -> int:
    """One group: four experts do not divide into the default's groups."""
    return 1


@field_rule(r"^first_k_dense_replace$", Kind.LAYERS)
def dense_layers_first(value: int, _draft: Draft) -> int:
    """At most one dense layer before the sparse ones, else two layers would hold no experts."""
    return min(value, 1)


@field_rule(r"^num_(encoder_blocks|stages|stacks)$", Kind.LAYERS)
def stages(value: int, _draft: Draft) -> int:
    """The number of stages is the length of several lists, and is kept with them."""
    return value


@field_rule(r"^num_kv_shared_layers$", Kind.LAYERS)
def shared_cache_layers(_value: int, _draft: Draft) -> int:
    """No layer borrows the cache of an earlier one: with two layers there would be no owner left."""
    return 0


@field_rule(r"^upsample_groups$", Kind.WIDTH)
def grouped_channels(value: int, _draft: Draft) -> int:
    """Groups that equal a channel count follow it."""
    return sizes.width(value)


@field_rule(r"^num_res_blocks$", Kind.LAYERS)
def residual_blocks(_value: int, _draft: Draft) -> int:
    """One residual block a stage: there are many stages."""
    return 1


@field_rule(LAYER_COUNT, Kind.LAYERS)
def layers(value: int, draft: Draft) -> int:
    """Two layers, or one for each kind of layer: later ones only repeat."""
    return min(value, draft.layers) if value > 1 else value


@field_rule(r"^rotary_dim$", Kind.HEAD_DIM)
def rotary_width(value: int, _draft: Draft) -> int:
    """The rotated part of a head is half of it, where four of them share the width."""
    return min(value, sizes.HIDDEN // sizes.HEADS // 2)


@field_rule(
    r"head_dim|head_size|^d_kv$|^kv_channels$|d_head|dim_head|headdim|dim_per_head|key_dim|value_dim|head_dimension",
    Kind.HEAD_DIM,
)
def head_width(value: int, draft: Draft) -> int:
    """16 a head, 4 of which make the width of 64."""
    del draft
    return value if value <= 8 else sizes.HEAD_DIM


@field_rule(r"rope\w*_head_dim|rope_dim", Kind.HEAD_DIM)
def rotary_head_width(value: int, _draft: Draft) -> int:
    """Half a head is rotated where latent attention splits heads."""
    return min(value, sizes.HEAD_DIM // 2)


@field_rule(r"^index(er)?_n_heads$|^sparse_num_index_heads$", Kind.HEADS)
def index_heads(value: int, _draft: Draft) -> int:
    """Sixteen heads that score tokens for sparse attention: what each rectifies to zero ties with its like.

    With four, every sixteenth token scores zero, and which of two such tokens is chosen is an accident.
    """
    return min(value, sizes.INDEX_HEADS)


@field_rule(r"^num_cross_attention_heads$", Kind.HEADS)
def raw_heads(_value: int, _draft: Draft) -> int:
    """One head reads raw values: pixels with their positions have as many channels as no number of heads divides."""
    return 1


@field_rule(
    r"(num|n)_(\w+_)?heads?(_\w+)?$|(^|_)heads?$|_heads$|^n_head$|num_query_groups$|_head_num|num_kv$", Kind.HEADS
)
def head_count(value: int, _draft: Draft) -> int:
    """Four heads, or two where the default has two or three."""
    return sizes.heads(value)


@field_rule(r"(lora_rank|_rank|_lowrank|lora_dim|_lora$)$|^rank$", Kind.RANK)
def rank(value: int, _draft: Draft) -> int:
    """Low-rank projections stay narrower than what they project."""
    return min(value, sizes.RANK)


def _patch(value: int) -> int:
    return min(value, sizes.PATCH) if value <= 2 * sizes.PATCH else value


@field_rule(r"^patch_size$", Kind.IMAGE)
def patch_size(value: int, _draft: Draft) -> int:
    """Patches of 16 pixels a side at most: the first convolution of larger ones would be most of a small model."""
    return _patch(value)


@field_rule(r"image_size$|^(max_)?img_size$|^input_size$|^crop_size$", Kind.IMAGE)
def image_size(value: int, draft: Draft) -> int:
    """Four patches a side, or 64 pixels where patches are small or there are none: few tokens, but several rows."""
    patch = draft.values.get("patch_size")
    if isinstance(patch, int) and 8 <= patch <= 64:
        return min(value, sizes.PATCHES * _patch(patch))
    if patch == 1:
        return min(value, sizes.PATCH)
    return min(value, sizes.IMAGE)


@field_rule(r"^spec_size$", Kind.IMAGE)
def folded_spectrogram(value: int, _draft: Draft) -> int:
    """Half a side: bins of frequency are still folded into rows, twice instead of four times."""
    return value // 2


@field_rule(r"^pos_emb_(height|width)$", Kind.POSITIONS)
def position_grid(value: int, _draft: Draft) -> int:
    """A learned grid of 4 × 4 positions; both sides are the image's, none is a width."""
    return min(value, sizes.PATCHES)


@field_rule(r"mm_tokens_per_image$", Kind.IMAGE)
def tokens_per_image(value: int, _draft: Draft) -> int:
    """Four patches a side are pooled to two: more tokens than patches would leave nothing to pool."""
    return min(value, (sizes.PATCHES // 2) ** 2)


@field_rule(r"^num_patches$", Kind.IMAGE)
def latent_side(value: int, _draft: Draft) -> int:
    """A map of codes has four a side, like the small image; from 64 up it is no side, but the number of all patches."""
    return min(value, sizes.PATCHES) if value < 64 else value


@field_rule(r"^num_position_embeddings$", Kind.POSITIONS)
def position_table(_value: int, _draft: Draft) -> int:
    """A learned table of 4 × 4 positions, interpolated to the image's grid."""
    return sizes.PATCHES**2


@field_rule(
    r"max_.*position|^n_positions$|n_ctx|max_seq|max_sequence|position_embeddings$|max_length$|seq_length$|max_pos"
    r"|num_positions|max_text_len|context_length$|position_embedding_size$|^max_ep_len$|^output_quantile_len$|^seq_len$|^max_num_patches$",
    Kind.POSITIONS,
)
def positions(value: int, _draft: Draft) -> int:
    """Position tables of 128 rows: longer than any input."""
    return min(value, sizes.POSITIONS)


@field_rule(r"sliding_window$|attention_window|local_attention|window_length", Kind.WINDOW)
def sliding_window(value: int, _draft: Draft) -> int:
    """Eight tokens, fewer than the inputs have, so that the window hides some."""
    return min(value, sizes.WINDOW)


@field_rule(r"^window_size$", Kind.WINDOW)
def image_window(value: int, draft: Draft) -> int:
    """Windows of 2 × 2 patches divide the four patches a side; sizes above 24 count something else.

    Windows of sound stay, which are divided by a rate instead.
    """
    return 2 if value <= 24 and "downsample_rate" not in draft.values else value


@field_rule(
    r"num_(\w+_)?quer(y|ies)(_tokens)?$|num_latents|num_denoising|num_proposals|num_object_queries|num_query_tokens|latent_query_num",
    Kind.QUERIES,
)
def queries(value: int, _draft: Draft) -> int:
    """Ten learned queries instead of hundreds."""
    return min(value, sizes.QUERIES)


@field_rule(r"index_topk", Kind.OTHER)
def indexed_tokens(value: int, _draft: Draft) -> int:
    """Sparse attention picks eight tokens, fewer than the inputs have, so that it really leaves some out."""
    return min(value, sizes.WINDOW)


@field_rule(r"codebook_size|num_embeddings$", Kind.CODEBOOK)
def codebook(value: int, _draft: Draft) -> int:
    """Codebooks of 64 entries."""
    return min(value, sizes.CODEBOOK)


@field_rule(r"^(num|n)_(codebooks|quantizers)$", Kind.CODEBOOK)
def codebooks(value: int, _draft: Draft) -> int:
    """Four codebooks, whose residuals are still coded one after the other."""
    return min(value, 4)


@field_rule(r"^num_conv_pos_embeddings$", Kind.CONVOLUTION)
def positional_kernel(value: int, _draft: Draft) -> int:
    """A positional convolution no longer than the short sequence of frames."""
    return min(value, 16)


@field_rule(r"^num_conv_pos_embedding_groups$", Kind.CONVOLUTION)
def positional_groups(_value: int, _draft: Draft) -> int:
    """Two groups, which divide the narrow width."""
    return 2


@field_rule(r"^(mamba_)?chunk_size$", Kind.OTHER)
def chunk(value: int, _draft: Draft) -> int:
    """Chunks of eight, so that a sequence has more than one and state passes between them."""
    return min(value, sizes.CHUNK)


@field_rule(r"^context_size$", Kind.OTHER)
def attention_context(value: int, _draft: Draft) -> int:
    """Blocks of sixteen frames for block-wise attention: several in a short recording, and fewer than positions."""
    return min(value, 2 * sizes.CHUNK)


@field_rule(r"^coordinate_size$", Kind.WIDTH)
def box_corner(_value: int, _draft: Draft) -> int:
    """Four coordinates of a box share half the width, side by side."""
    return sizes.HIDDEN // 8


@field_rule(r"^shape_size$", Kind.WIDTH)
def box_side(_value: int, _draft: Draft) -> int:
    """Height and width of a box share the other half."""
    return sizes.HIDDEN // 4


@field_rule(r"^num_pos_feats$", Kind.WIDTH)
def position_features(value: int, _draft: Draft) -> int:
    """Sines and cosines of that many features each fill a width."""
    return sizes.width(2 * value) // 2


@field_rule(r"^feature_size$", Kind.WIDTH)
def feature_width(value: int, _draft: Draft) -> int:
    """From 256 up it is the width of a feature map; below, the bins of a spectrogram."""
    return sizes.width(value) if value >= 256 else value


@field_rule(r"^(mamba_)?n_groups$", Kind.HEADS)
def state_space_groups(value: int, _draft: Draft) -> int:
    """Two groups of state-space heads, which divide the few heads."""
    return min(value, 2)


@field_rule(r"^conv_symmetric_num$", Kind.CONVOLUTION)
def parallel_convolutions(value: int, _draft: Draft) -> int:
    """One convolution beside the others: the sum of more, layer after layer, would saturate every softmax."""
    return min(value, 1)


@field_rule(r"^divisor$", Kind.WIDTH)
def rounded_widths(value: int, _draft: Draft) -> int:
    """Narrow widths are multiples of eight already; rounding to more would part them from their parent's."""
    return min(value, 8)


@field_rule(r"^num_groups$", Kind.WIDTH)
def normalised_groups(value: int, _draft: Draft) -> int:
    """Four groups of a group normalisation divide the narrow widths."""
    return min(value, 4)


@field_rule(WIDTH, Kind.WIDTH, but_not=NOT_WIDTH)
def width(value: int, _draft: Draft) -> int:
    """Narrow tensors: 64 for what is wide, by value alone, so that equal widths stay equal across sub-configs."""
    return sizes.width(value)


@field_rule(WIDTH_AFTER_ALL, Kind.WIDTH, but_not=FLAT_PATCH)
def width_after_all(value: int, _draft: Draft) -> int:
    """A width by the end of its name, though a word before it speaks of images, samples or prompts."""
    return sizes.width(value)


@field_rule(r"^init(ializer)?_(range|std)$", Kind.OTHER)
def initializer_range(value: float, _draft: Draft) -> float:
    """A spread of 1e-10, which some configs declare, would make every weight and every output zero."""
    return 0.02 if 0 <= value < 1e-4 else value


@field_rule(r"^depth_coefficient$", Kind.DEPTHS)
def depth_coefficient(value: float, _draft: Draft) -> float:
    """No more blocks than the lists by stage say."""
    return min(value, 1.0)


@field_rule(r"^width_coefficient$", Kind.WIDTH)
def width_coefficient(value: float, _draft: Draft) -> float:
    """No wider than the lists by stage say."""
    return min(value, 1.0)


@field_rule(r"^(depth|width)_multiplier$", Kind.WIDTH)
def width_multiplier(value: float, _draft: Draft) -> float:
    """An eighth of the widths that the code itself states."""
    return min(value, 0.125)


@field_rule(r"^scale$", Kind.WIDTH)
def table_scale(value: float, draft: Draft) -> float:
    """Widths are as the tables of blocks say: fractions of narrow ones would be rounded in different ways."""
    return 1.0 if "block_configs" in draft.values else value


FLOAT_RULES: tuple[FieldRule, ...] = (
    initializer_range,
    depth_coefficient,
    width_coefficient,
    width_multiplier,
    table_scale,
)

SCALAR_RULES: tuple[FieldRule, ...] = (
    vocabulary,
    token_id,
    experts_per_token,
    experts,
    stages,
    shared_cache_layers,
    grouped_channels,
    residual_blocks,
    layers,
    expert_groups,
    dense_layers_first,
    rotary_width,
    rotary_head_width,
    head_width,
    index_heads,
    raw_heads,
    head_count,
    rank,
    patch_size,
    image_size,
    folded_spectrogram,
    tokens_per_image,
    latent_side,
    position_grid,
    position_table,
    positions,
    sliding_window,
    queries,
    indexed_tokens,
    codebook,
    codebooks,
    image_window,
    positional_kernel,
    positional_groups,
    chunk,
    attention_context,
    box_corner,
    box_side,
    position_features,
    feature_width,
    state_space_groups,
    parallel_convolutions,
    rounded_widths,
    normalised_groups,
    width,
    width_after_all,
)
