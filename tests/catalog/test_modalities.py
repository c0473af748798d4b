"""Which parameters carry which kind of data, and where the library's own declaration is believed."""

import pytest

from modelmuster.catalog import modalities
from modelmuster.catalog.facts import CodeFacts
from modelmuster.records import Modality


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        ("input_ids", Modality.TEXT),
        ("decoder_input_ids", Modality.TEXT),
        ("protein_input_ids", Modality.TEXT),
        ("classes_input_ids", Modality.TEXT),
        ("audio_input_ids", Modality.AUDIO),
        ("pixel_values", Modality.IMAGE),
        ("image_pixel_values", Modality.IMAGE),
        ("pixel_values_local", Modality.IMAGE),
        ("flattened_patches", Modality.IMAGE),
        ("grid_thw", Modality.IMAGE),
        ("pixel_values_videos", Modality.VIDEO),
        ("frame", Modality.VIDEO),
        ("input_features", Modality.AUDIO),
        ("audio_input_features", Modality.AUDIO),
        ("user_input_values", Modality.AUDIO),
        ("spectrogram", Modality.AUDIO),
        ("past_values", Modality.TIME_SERIES),
        ("bbox", Modality.LAYOUT),
        ("returns_to_go", Modality.TABULAR),
        ("input_points", Modality.TABULAR),
    ],
)
def test_a_parameter_carries_its_kind(parameter, kind):
    assert modalities.of_parameters([parameter]) == {kind: parameter}


@pytest.mark.parametrize(
    "parameter",
    [
        "attention_mask",
        "position_ids",
        "pixel_mask",
        "image_grid_thw",
        "spectrogram_labels",
        "labels",
        "state",
        "past_key_values",
    ],
)
def test_masks_positions_labels_and_states_carry_none(parameter):
    assert modalities.of_parameters([parameter]) == {}


def test_pixels_are_frames_where_the_library_declares_video_only(type_facts, class_facts):
    made = class_facts("pixel_values", declared=("video",))
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.VIDEO]


def test_pixels_are_frames_where_the_config_counts_frames(type_facts, class_facts):
    made = class_facts("input_ids", "pixel_values", declared=("image", "text"))
    facts = type_facts(made, settings={"vision_config.num_frames": 8})
    assert list(modalities.of_class(facts, made)) == [Modality.TEXT, Modality.VIDEO]


def test_a_declaration_that_the_signature_contradicts_is_not_believed(type_facts, class_facts):
    made = class_facts("input_ids", declared=("image", "text"))
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.TEXT]


def test_ids_are_colours_in_an_image_task(type_facts, class_facts):
    made = class_facts("input_ids", declared=("image",), tasks=("CAUSAL_IMAGE_MODELING",))
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.IMAGE]


def test_ids_stay_text_in_a_text_tower_that_inherits_a_declaration(type_facts, class_facts):
    made = class_facts("input_ids", declared=("image",))
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.TEXT]


def test_pixels_in_keyword_arguments_count_if_a_module_inside_takes_them(type_facts, class_facts):
    inside = CodeFacts(inner_parameters=frozenset({"pixel_values"}))
    handed_on = class_facts("input_ids", declared=("image", "text"), passes_on=True, code=inside)
    nobody_takes_them = class_facts("input_ids", declared=("image", "text"), passes_on=True)
    assert list(modalities.of_class(type_facts(handed_on), handed_on)) == [Modality.TEXT, Modality.IMAGE]
    assert list(modalities.of_class(type_facts(nobody_takes_them), nobody_takes_them)) == [Modality.TEXT]


def test_hidden_states_of_a_vision_tower_are_its_pixels(type_facts, class_facts):
    made = class_facts("hidden_states", declared=("image",))
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.IMAGE]


def test_hidden_states_of_a_part_that_joins_two_kinds_are_embeddings(type_facts, class_facts):
    made = class_facts("hidden_states", declared=("image", "text"))
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.EMBEDDING]


def test_embeddings_beside_data_do_not_count(type_facts, class_facts):
    made = class_facts("input_ids", "inputs_embeds", "encoder_hidden_states")
    assert list(modalities.of_class(type_facts(made), made)) == [Modality.TEXT]


def test_every_kind_comes_with_its_reason(type_facts, class_facts):
    made = class_facts("input_ids", "pixel_values")
    assert modalities.of_class(type_facts(made), made) == {
        Modality.TEXT: "forward takes input_ids",
        Modality.IMAGE: "forward takes pixel_values",
    }
