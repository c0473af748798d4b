"""What a class needs of its config beyond what the config's rules know."""

from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    Pix2StructTextConfig,
    Pix2StructTextModel,
)

from modelmuster.recipes.classes import class_arguments


def test_a_causal_class_beside_a_masked_one_is_a_decoder(bert):
    arguments = {}
    [applied] = class_arguments(bert, BertLMHeadModel, BertConfig(), arguments)
    assert arguments == {"is_decoder": True}
    assert applied.rule == "causal-class"
    assert not class_arguments(bert, BertForMaskedLM, BertConfig(), {})


def test_what_the_code_reads_of_a_config_that_does_not_declare_it_is_given(architecture):
    arguments = {}
    found = architecture("pix2struct_text_model", "Pix2StructTextModel", "text")
    [applied] = class_arguments(found, Pix2StructTextModel, Pix2StructTextConfig(), arguments)
    assert (applied.rule, applied.field) == ("undeclared", "initializer_range")
    assert arguments == {"initializer_range": applied.after}
