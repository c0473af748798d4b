"""Kinds of input that a model cannot tell apart in one call."""

import torch

from modelmuster.recipes.inputs.apart import SAME_TOKEN, apart
from modelmuster.records import Modality


class OneToken(torch.nn.Module):
    """Marks images and videos with the same token, as GLM-4V does."""

    def __init__(self, config):
        super().__init__()
        self.config = config

    def get_placeholder_mask(self, input_ids, inputs_embeds, image_features=None, video_features=None):
        del image_features, video_features
        found = (input_ids == self.config.image_token_id).unsqueeze(-1).to(inputs_embeds.device)
        return found, found


def test_a_model_that_takes_an_images_token_for_a_videos_takes_one_of_them_in_a_call(qwen2_vl):
    assert apart(OneToken(qwen2_vl.config)) == {Modality.VIDEO: SAME_TOKEN}


def test_a_model_with_a_token_for_each_takes_both(qwen2_vl):
    assert not apart(qwen2_vl)


def test_a_model_without_placeholders_has_nothing_to_mix_up(bert):
    assert not apart(bert)
