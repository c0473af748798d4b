"""A checkpoint's own tokenizer and processor make its inputs; what cannot be used is said."""

import json

import pytest
import torch
import transformers as library
from tokenizers import Tokenizer, models, pre_tokenizers

from modelmuster.recipes.checkpoint import samples
from modelmuster.records import Modality

TOWER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
PICTURE = {"image_size": 32, "patch_size": 8}
SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]
IDS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}


def tokenizer(*more):
    """One word, one token; `more` are special tokens."""
    sentences = (*samples.SENTENCES, *samples.ANSWERS)
    words = sorted({word for sentence in sentences for word in sentence.replace(".", " .").split()})
    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *more, *words])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return library.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        bos_token="[BOS]",
        eos_token="[EOS]",
        extra_special_tokens={token.strip("<>") + "_token": token for token in more},
    )


def still(cls):
    return cls(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def gpt2():
    config = library.GPT2Config(vocab_size=60, n_embd=32, n_layer=1, n_head=2, n_positions=64)
    return library.GPT2LMHeadModel(config), [tokenizer()]


def t5():
    config = library.T5Config(vocab_size=60, d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2)
    config.decoder_start_token_id = 0
    return library.T5ForConditionalGeneration(config), [tokenizer()]


def vit():
    processor = library.ViTImageProcessor(size={"height": 32, "width": 32})
    return library.ViTForImageClassification(library.ViTConfig(**PICTURE, **TOWER)), [processor]


def videomae():
    config = library.VideoMAEConfig(num_frames=4, tubelet_size=2, **PICTURE, **TOWER)
    return library.VideoMAEForVideoClassification(config), [still(library.VideoMAEImageProcessor)]


def wav2vec2():
    convolutions = {"conv_dim": (16, 16), "conv_kernel": (10, 3), "conv_stride": (5, 2), "num_feat_extract_layers": 2}
    config = library.Wav2Vec2Config(
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, **convolutions, **TOWER
    )
    return library.Wav2Vec2ForCTC(config), [library.Wav2Vec2FeatureExtractor()]


def whisper():
    sizes = {
        f"{side}_{part}": 2 for side in ("encoder", "decoder") for part in ("layers", "attention_heads", "ffn_dim")
    }
    config = library.WhisperConfig(vocab_size=60, d_model=32, decoder_start_token_id=2, **sizes, **IDS)
    return library.WhisperForConditionalGeneration(config), [library.WhisperFeatureExtractor(), tokenizer()]


def clip():
    text = {"vocab_size": 60, "max_position_embeddings": 40, **IDS, **TOWER}
    config = library.CLIPConfig(text_config=text, vision_config={**PICTURE, **TOWER}, projection_dim=16)
    return library.CLIPModel(config), [still(library.CLIPImageProcessor), tokenizer()]


def llava():
    words = tokenizer("<image>")
    place = words.convert_tokens_to_ids("<image>")
    config = library.LlavaConfig(
        vision_config={"model_type": "clip_vision_model", "projection_dim": 16, **PICTURE, **TOWER},
        text_config={"model_type": "llama", "vocab_size": 80, "max_position_embeddings": 128, **TOWER},
        image_token_id=place,
        image_token_index=place,
    )
    processor = library.LlavaProcessor(
        still(library.CLIPImageProcessor),
        words,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    return library.LlavaForConditionalGeneration(config), [processor]


@pytest.mark.parametrize(
    ("make", "layout", "inputs"),
    [
        (gpt2, "own:tokenizer", {"input_ids": (2, 14), "attention_mask": (2, 14)}),
        (t5, "own:tokenizer", {"input_ids": (2, 14), "attention_mask": (2, 14), "decoder_input_ids": (2, 7)}),
        (vit, "own:image-processor", {"pixel_values": (2, 3, 32, 32)}),
        (videomae, "own:image-processor", {"pixel_values": (2, 4, 3, 32, 32)}),
        (wav2vec2, "own:feature-extractor", {"input_values": (2, 32000)}),
        (whisper, "own:processor", {"input_features": (2, 80, 3000), "decoder_input_ids": (2, 7)}),
        (clip, "own:processor", {"input_ids": (2, 15), "pixel_values": (2, 3, 32, 32)}),
        (llava, "own:processor", {"input_ids": (2, 31), "pixel_values": (2, 3, 32, 32)}),
    ],
)
def test_what_a_model_takes_is_made_as_its_users_make_it(make, layout, inputs, tmp_path, open_):
    torch.manual_seed(0)
    model, processors = make()
    for part in (model, *processors):
        part.save_pretrained(tmp_path)
    recipe = open_(tmp_path).recipe
    assert recipe.layout == layout
    shapes = {spec.name: spec.shape for spec in recipe.inputs}
    assert inputs.items() <= shapes.items()
    assert recipe.applied == ()
    # The two rows differ: what is fed to a check must not be the same thing twice.
    subject = open_(tmp_path)
    assert all((value[0] != value[1]).any() for name, value in subject.inputs.items() if "mask" not in name)


def test_every_modality_is_named(tmp_path, open_):
    model, processors = clip()
    for part in (model, *processors):
        part.save_pretrained(tmp_path)
    assert set(open_(tmp_path).recipe.modalities) == {Modality.TEXT, Modality.IMAGE}


def test_a_chat_template_frames_the_prompt(tmp_path, open_):
    model, (processor,) = llava()
    processor.chat_template = (
        "{% for turn in messages %}{% for part in turn['content'] %}"
        "{{ '<image> ' if part['type'] == 'image' else part['text'] }}{% endfor %}{% endfor %}"
    )
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    recipe = open_(tmp_path).recipe
    assert recipe.layout == "own:processor"
    assert recipe.applied == ()


def test_a_tokenizer_that_does_not_fit_its_model_is_said_and_replaced(tmp_path, open_):
    config = library.GPT2Config(vocab_size=5, n_embd=32, n_layer=1, n_head=2, n_positions=64)
    library.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    recipe = open_(tmp_path).recipe
    assert recipe.layout == "text"
    (note,) = recipe.applied
    assert note.field == "tokenizer"
    assert "IndexError" in note.reason


def test_a_tokenizer_without_words_is_not_used(tmp_path, open_):
    model, (words,) = gpt2()
    model.save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"] = {token: place for place, token in enumerate(SPECIAL)}
    path.write_text(json.dumps(content))
    recipe = open_(tmp_path).recipe
    assert recipe.layout == "text"
    assert "knows none of their words" in recipe.applied[0].reason
