"""From names to classes: what is missing is named."""

import pytest

from modelmuster.errors import Unavailable
from modelmuster.recipes.configs import default_config, model_class


def test_a_required_distribution_is_found_by_its_own_name_not_by_that_of_its_module(architecture):
    # pillow's module is PIL.
    vit = architecture("vit", "ViTModel", "image", config_class="ViTConfig", requires=("pillow",))
    assert model_class(vit, "ViTModel").__name__ == "ViTModel"


def test_a_missing_distribution_is_named(architecture):
    vit = architecture("vit", "ViTModel", "image", config_class="ViTConfig", requires=("not-on-this-machine",))
    with pytest.raises(Unavailable, match="not-on-this-machine"):
        model_class(vit, "ViTModel")


def test_towers_that_the_default_leaves_out_are_put_in(architecture):
    from transformers import Gemma4Config

    gemma4 = architecture("gemma4", "Gemma4Model", "text", "image", config_class="Gemma4Config")
    assert Gemma4Config().vision_config is None
    assert default_config(Gemma4Config, gemma4, {}).vision_config.model_type == "gemma4_vision"


def test_an_override_names_the_towers_of_another_package(architecture):
    from transformers.models.embedding_gemma2 import EmbeddingGemma2Config

    model = architecture("embedding_gemma2", "EmbeddingGemma2Model", "text", "image")
    made = default_config(EmbeddingGemma2Config, model, {}, {"vision_config": "gemma4_vision"})
    assert made.vision_config.model_type == "gemma4_vision"
