"""Texts as the heads of some tasks want them."""

from __future__ import annotations

import pytest
import torch

from modelmuster.recipes.inputs import layouts
from modelmuster.records import Architecture, Family, Modality, ModelClass

SMALL = {"vocab_size": 99, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


def first(module, task):
    entry = ModelClass(name=type(module).__name__, tasks=(task,))
    architecture = Architecture(
        model_type="any", config_class="", module="", family=Family.OTHER, top_level=True, model_classes=(entry,)
    )
    return next(layouts(module, architecture, 0))


def test_a_multiple_choice_head_is_given_several_different_texts_a_row():
    from transformers import BertConfig, BertForMultipleChoice

    config = BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48)
    module = BertForMultipleChoice(config).eval()
    made = first(module, "MULTIPLE_CHOICE").build()
    assert {name: tuple(value.shape) for name, value in made.items()} == dict.fromkeys(made, (2, 3, 12))
    assert not torch.equal(made["input_ids"][:, 0], made["input_ids"][:, 1])
    with torch.no_grad():
        assert module(**made).logits.shape == (2, 3)


@pytest.mark.parametrize("name", ["Bart", "T5"])
def test_an_encoder_decoder_that_classifies_reads_a_text_that_ends(name):
    import transformers

    sizes = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "num_layers": 1, "num_decoder_layers": 1}
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "num_heads": 4, "d_kv": 8}
    known = getattr(transformers, f"{name}Config")
    wanted = {**SMALL, **sizes, **heads, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "d_ff": 48}
    fields = known.__dataclass_fields__
    module = getattr(transformers, f"{name}ForSequenceClassification")(
        known(**{key: value for key, value in wanted.items() if key in fields})
    ).eval()
    made = first(module, "SEQUENCE_CLASSIFICATION").build()
    assert made["input_ids"][:, -1].tolist() == [2, 2]
    with torch.no_grad():
        assert module(**made).logits.shape[0] == 2


def test_global_attention_starts_at_the_first_token():
    from transformers import LongformerConfig, LongformerModel

    config = LongformerConfig(
        vocab_size=99,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=48,
        attention_window=[8],
    )
    made = first(LongformerModel(config).eval(), "MODEL").build()
    assert made["global_attention_mask"][:, 0].tolist() == [1, 1]
    assert not made["global_attention_mask"][:, 1:].any()


def test_as_many_patches_are_hidden_in_each_row_of_clips():
    from transformers import VideoMAEConfig, VideoMAEForPreTraining

    config = VideoMAEConfig(
        image_size=16,
        patch_size=8,
        num_frames=4,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=48,
        decoder_hidden_size=32,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=4,
        decoder_intermediate_size=48,
    )
    module = VideoMAEForPreTraining(config).eval()
    architecture = Architecture(
        model_type="any", config_class="", module="", family=Family.VIDEO, top_level=True, modalities=(Modality.VIDEO,)
    )
    made = next(each for each in layouts(module, architecture, 0) if each.name.startswith("video:clip")).build()
    one, other = made["bool_masked_pos"].sum(dim=1).tolist()
    assert one == other > 0
    with torch.no_grad():
        assert module(**made).logits.shape[:2] == (2, one)


def test_series_are_given_padding_and_frequencies_where_they_are_asked_for():
    from transformers import TimesFmConfig, TimesFmModel

    config = TimesFmConfig(
        patch_length=8,
        context_length=32,
        horizon_length=8,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        head_dim=8,
    )
    module = TimesFmModel(config).eval()
    made = first(module, "MODEL").build()
    assert made["freq"].shape == (2, 1)
    with torch.no_grad():
        assert module(**made).last_hidden_state.shape[0] == 2


def test_a_class_that_is_trained_on_questions_finds_one_in_each_text():
    from transformers import SplinterConfig, SplinterForPreTraining

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48}
    module = SplinterForPreTraining(SplinterConfig(vocab_size=99, question_token_id=9, **sizes)).eval()
    made = first(module, "PRETRAINING").build()
    assert ((made["input_ids"] == 9).sum(-1) == 1).all()
    with torch.no_grad():
        assert module(**made).start_logits.shape[0] == 2
