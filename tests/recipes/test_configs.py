"""From names to classes: what is missing is named."""

import pytest

from modelmuster.errors import Unavailable
from modelmuster.recipes.configs import model_class


def test_a_required_distribution_is_found_by_its_own_name_not_by_that_of_its_module(architecture):
    # pillow's module is PIL.
    vit = architecture("vit", "ViTModel", "image", config_class="ViTConfig", requires=("pillow",))
    assert model_class(vit, "ViTModel").__name__ == "ViTModel"


def test_a_missing_distribution_is_named(architecture):
    vit = architecture("vit", "ViTModel", "image", config_class="ViTConfig", requires=("not-on-this-machine",))
    with pytest.raises(Unavailable, match="not-on-this-machine"):
        model_class(vit, "ViTModel")
