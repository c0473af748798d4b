"""One rule after another, the first that holds."""

import pytest

from modelmuster.catalog.attention import Direction
from modelmuster.catalog.families import RULES, Case, family
from modelmuster.records import Family, Modality

TEXT, IMAGE, VIDEO, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.AUDIO


@pytest.mark.parametrize(
    ("kinds", "direction", "expected"),
    [
        ({TEXT}, Direction.CAUSAL, Family.DECODER_ONLY),
        ({TEXT}, Direction.BOTH_WAYS, Family.ENCODER_ONLY),
        ({TEXT}, Direction.ENCODER_DECODER, Family.ENCODER_DECODER),
        ({TEXT, Modality.LAYOUT}, Direction.BOTH_WAYS, Family.ENCODER_ONLY),
        ({IMAGE}, Direction.BOTH_WAYS, Family.VISION),
        ({IMAGE, Modality.TABULAR}, Direction.BOTH_WAYS, Family.VISION),
        ({VIDEO}, Direction.BOTH_WAYS, Family.VIDEO),
        ({AUDIO}, Direction.BOTH_WAYS, Family.AUDIO),
        ({TEXT, IMAGE}, Direction.CAUSAL, Family.VISION_TEXT),
        ({TEXT, VIDEO}, Direction.CAUSAL, Family.VISION_TEXT),
        ({TEXT, AUDIO}, Direction.CAUSAL, Family.AUDIO_TEXT),
        ({TEXT, IMAGE, AUDIO}, Direction.CAUSAL, Family.ANY_TO_ANY),
        ({VIDEO, AUDIO}, Direction.BOTH_WAYS, Family.ANY_TO_ANY),
        ({Modality.TIME_SERIES}, Direction.BOTH_WAYS, Family.TIME_SERIES),
        ({Modality.TABULAR}, Direction.BOTH_WAYS, Family.OTHER),
        ({TEXT, Modality.TABULAR}, Direction.BOTH_WAYS, Family.OTHER),
        ({Modality.EMBEDDING}, Direction.CAUSAL, Family.OTHER),
        (set(), Direction.BOTH_WAYS, Family.OTHER),
    ],
)
def test_kinds_and_direction_give_the_family(type_facts, class_facts, kinds, direction, expected):
    made = class_facts()
    assert family(Case(type_facts(made), made, kinds, direction)).family is expected


def test_speech_recognition_is_audio_because_it_only_writes_text(type_facts, class_facts):
    made = class_facts("input_features", "decoder_input_ids", main_input="input_features")
    found = family(Case(type_facts(made), made, {TEXT, AUDIO}, Direction.ENCODER_DECODER))
    assert found.family is Family.AUDIO
    assert "written" in found.reason


def test_ids_beside_a_main_input_of_sound_do_not_make_it_audio_text(type_facts, class_facts):
    made = class_facts("input_ids", "decoder_input_ids", "input_features", main_input="input_features")
    assert family(Case(type_facts(made), made, {TEXT, AUDIO}, Direction.ENCODER_DECODER)).family is Family.AUDIO


def test_text_to_speech_is_audio(type_facts, class_facts):
    made = class_facts("input_ids", tasks=("TEXT_TO_WAVEFORM",))
    assert family(Case(type_facts(made), made, {TEXT}, Direction.BOTH_WAYS)).family is Family.AUDIO


def test_every_family_has_a_rule_and_the_last_rule_always_holds(type_facts):
    assert {rule.family for rule in RULES} == set(Family)
    assert RULES[-1].holds(Case(type_facts(), None, set(), Direction.CAUSAL))
