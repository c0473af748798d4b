"""Architectures written by hand, so that these tests need no catalogue."""

import pytest
import torch

from modelmuster.records import Architecture, Family, Modality, ModelClass

torch.set_num_threads(1)


def _architecture(model_type, default_class, *modalities, **more):
    return Architecture(
        model_type=model_type,
        config_class=more.pop("config_class", ""),
        module=f"transformers.models.{model_type}",
        family=more.pop("family", Family.OTHER),
        top_level=True,
        modalities=tuple(Modality(name) for name in modalities),
        default_class=default_class,
        **more,
    )


@pytest.fixture(scope="session")
def architecture():
    return _architecture


@pytest.fixture(scope="session")
def bert():
    classes = (
        ModelClass(name="BertForMaskedLM", tasks=("MASKED_LM",)),
        ModelClass(name="BertLMHeadModel", tasks=("CAUSAL_LM",)),
    )
    return _architecture(
        "bert", "BertForMaskedLM", "text", config_class="BertConfig", model_classes=classes, family=Family.ENCODER_ONLY
    )


@pytest.fixture(scope="session")
def llama():
    return _architecture("llama", "LlamaForCausalLM", "text", config_class="LlamaConfig")


@pytest.fixture(scope="session")
def vit():
    return _architecture("vit", "ViTForImageClassification", "image", config_class="ViTConfig")


@pytest.fixture(scope="session")
def llava():
    return _architecture("llava", "LlavaForConditionalGeneration", "text", "image", config_class="LlavaConfig")


@pytest.fixture(scope="session")
def encoder_decoder():
    return _architecture(
        "encoder-decoder",
        "EncoderDecoderModel",
        "text",
        config_class="EncoderDecoderConfig",
    )
