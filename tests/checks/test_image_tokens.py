"""Features that are too many for their placeholders, and text with too few of them, are found."""

import numpy as np
import transformers

import models
from modelmuster.checks.image_tokens import ImageTokens
from modelmuster.records import Family, Modality, Outcome

IMAGE_TOKEN = 98


def llava():
    text = {**models.TEXT, "num_key_value_heads": 2, "model_type": "llama"}
    vision = {**models.TOWER, "image_size": 32, "patch_size": 16, "model_type": "clip_vision_model"}
    config = {"text_config": text, "vision_config": vision, "image_token_id": IMAGE_TOKEN}
    tokens = models.ids(vocabulary=IMAGE_TOKEN)
    tokens[:, 2:6] = IMAGE_TOKEN
    inputs = {
        "input_ids": tokens,
        "attention_mask": np.ones_like(tokens),
        "pixel_values": models.noise(2, 3, 32, 32),
    }
    module = models.built(transformers.LlavaForConditionalGeneration, transformers.LlavaConfig, **config)
    return models.subject(
        module, inputs, family=Family.VISION_TEXT, modalities=(Modality.TEXT, Modality.IMAGE), config=config
    )


def test_a_healthy_model_passes():
    trial = models.trial(llava())
    assert ImageTokens().applies(trial) is None
    finding = ImageTokens().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["features"] == finding.figures["placeholders"] == 8


def test_the_class_token_among_the_features_fails():
    subject = llava()
    subject.module.config.vision_feature_select_strategy = "full"
    trial = models.trial(subject)
    assert "10 image features for 8 placeholders" in ImageTokens().run(trial).message


def test_a_missing_placeholder_that_is_not_noticed_fails(monkeypatch):
    subject = llava()

    def careless(input_ids, inputs_embeds, image_features):
        return (input_ids == IMAGE_TOKEN).unsqueeze(-1).expand_as(inputs_embeds)

    monkeypatch.setattr(subject.module.model, "get_placeholder_mask", careless)
    assert "as if nothing were wrong" in ImageTokens().run(models.trial(subject)).message
