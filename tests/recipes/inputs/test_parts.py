"""Inputs of models that are parts of others: what another part would hand them."""

import pytest
import torch

from modelmuster.recipes.inputs import layouts
from modelmuster.records import Architecture, Family, Modality

WIDTH = 32


def architecture(*kinds):
    return Architecture(
        model_type="part", config_class="", module="", family=Family.OTHER, top_level=False, modalities=kinds
    )


def test_a_decoder_that_does_not_run_without_an_encoder_is_given_its_vectors():
    from transformers import Blip2QFormerConfig, Blip2QFormerModel

    config = Blip2QFormerConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, encoder_hidden_size=24
    )
    module = Blip2QFormerModel(config).eval()
    layout = next(layout for layout in layouts(module, architecture(), 0) if layout.name == "required+encoder")
    made = layout.build()
    assert made["encoder_hidden_states"].shape[-1] == 24
    assert Modality.EMBEDDING in layout.modalities
    with torch.no_grad():
        assert module(**made).last_hidden_state.shape[-1] == WIDTH


class Tower(torch.nn.Module):
    """Takes hidden states, like encoders that call their raw input so."""

    def __init__(self):
        super().__init__()
        from transformers import ViTConfig

        self.config = ViTConfig(hidden_size=WIDTH, num_attention_heads=4)

    def forward(self, hidden_states):
        return hidden_states


@pytest.mark.parametrize(
    ("kinds", "meant"),
    [
        ((Modality.AUDIO,), Modality.AUDIO),
        ((Modality.TEXT,), Modality.EMBEDDING),
        ((Modality.TEXT, Modality.AUDIO), Modality.EMBEDDING),
        ((), Modality.EMBEDDING),
    ],
)
def test_hidden_states_stand_for_the_one_kind_of_data_that_is_taken_in(kinds, meant):
    first = next(layouts(Tower(), architecture(*kinds), 0))
    assert first.modalities == (meant,)


class Frames(Tower):
    """Takes pictures one at a time, like the towers of video models."""

    def forward(self, pixel_values):
        return pixel_values


@pytest.mark.parametrize("kind", [Modality.IMAGE, Modality.VIDEO])
def test_a_picture_given_to_a_model_of_videos_is_a_frame(kind):
    assert next(layouts(Frames(), architecture(kind), 0)).modalities == (kind,)


class FramesAndSound(Tower):
    """Takes clips and sound in one call, and no text."""

    def forward(self, pixel_values_videos, input_values):
        return pixel_values_videos.mean() + input_values


def test_kinds_of_data_without_a_text_come_in_one_call():
    first = next(layouts(FramesAndSound(), architecture(Modality.VIDEO, Modality.AUDIO), 0))
    assert set(first.modalities) == {Modality.VIDEO, Modality.AUDIO}
    assert set(first.build()) == {"pixel_values_videos", "input_values"}


class Folded(Tower):
    """Folds ids of any shape into rows of as many codebooks, as MusicGen's decoder does."""

    def __init__(self):
        super().__init__()
        self.config.num_codebooks = 4

    def forward(self, input_ids):
        return input_ids.reshape(-1, 4, input_ids.shape[-1]).reshape(-1, input_ids.shape[-1]).float()


def test_code_words_that_would_be_folded_are_given_as_rows_of_codebooks():
    first = next(layouts(Folded(), architecture(Modality.AUDIO), 0))
    assert first.name == "codes-rows"


class Spectrum(Tower):
    """Takes spectra with a mark on those that hold no sound."""

    def forward(self, audio_mel, audio_mel_mask):
        return audio_mel * ~audio_mel_mask.unsqueeze(-1)


def test_a_mask_that_marks_padding_marks_nothing():
    first = next(layouts(Spectrum(), architecture(Modality.AUDIO), 0))
    assert not first.build()["audio_mel_mask"].any()


class Packed(Tower):
    """Takes the frames of all sounds on one axis."""

    def __init__(self):
        super().__init__()
        self.config.num_mel_bins = 24

    def forward(self, input_features, feature_lens):
        return input_features[:, : feature_lens.sum()]


def test_sounds_on_one_axis_come_with_their_lengths():
    made = next(layouts(Packed(), architecture(Modality.AUDIO), 0)).build()
    assert made["input_features"].shape == (24, int(made["feature_lens"].sum()))
