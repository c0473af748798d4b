"""Small real models, built from explicit configs, and the architectures that they are instances of."""

from __future__ import annotations

import pytest
import torch

from modelmuster.records import Architecture, Family, Modality


@pytest.fixture(scope="session")
def some():
    """Makes an architecture with what the inputs look at: its family and modalities."""
    return _some


def _some(family: Family = Family.OTHER, *modalities: Modality) -> Architecture:
    return Architecture(
        model_type="model-under-test",
        config_class="",
        module="",
        family=family,
        top_level=True,
        modalities=modalities,
    )


def built(cls, config):
    """A model with seeded weights, in eval mode."""
    torch.manual_seed(0)
    return cls(config).eval()


TEXT = {
    "vocab_size": 99,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}


@pytest.fixture(scope="module")
def bert():
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48)
    return built(BertForMaskedLM, config)


@pytest.fixture(scope="module")
def clip():
    from transformers import CLIPConfig, CLIPModel

    text = {key: value for key, value in TEXT.items() if key != "num_key_value_heads"}
    return built(CLIPModel, CLIPConfig(text_config=text, vision_config=VISION, projection_dim=16))


@pytest.fixture(scope="module")
def make_llava():
    """Makes a model of its own, for tests that change it."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    def make():
        text, vision = LlamaConfig(**TEXT), CLIPVisionConfig(**VISION)
        config = LlavaConfig(text_config=text, vision_config=vision, image_token_index=98)
        return built(LlavaForConditionalGeneration, config)

    return make


@pytest.fixture(scope="module")
def llava(make_llava):
    return make_llava()


@pytest.fixture(scope="module")
def qwen2_vl():
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    config = Qwen2VLConfig(
        text_config={
            **TEXT,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]},
        },
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 8},
        image_token_id=98,
        video_token_id=97,
        vision_start_token_id=96,
        vision_end_token_id=95,
    )
    return built(Qwen2VLForConditionalGeneration, config)


@pytest.fixture(scope="module")
def whisper():
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=99,
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        max_source_positions=30,
        max_target_positions=64,
        num_mel_bins=20,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
    )
    return built(WhisperForConditionalGeneration, config)
