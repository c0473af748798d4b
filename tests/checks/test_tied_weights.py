"""Tables that should be one and are two, or the other way round, are found."""

import pytest
import torch
import transformers

import models
from modelmuster.checks.tied_weights import TiedWeights
from modelmuster.records import Outcome


@pytest.mark.parametrize(("name", "changes"), [("llama", {}), ("llama", {"tie_word_embeddings": True}), ("t5", {})])
def test_healthy_models_pass(name, changes):
    trial = models.trial(getattr(models, name)(**changes))
    assert TiedWeights().applies(trial) is None
    assert TiedWeights().run(trial).outcome is Outcome.PASS


def test_tied_tables_that_came_apart_fail():
    subject = models.llama(tie_word_embeddings=True)
    subject.module.lm_head.weight = torch.nn.Parameter(subject.module.lm_head.weight.detach().clone())
    finding = TiedWeights().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert finding.message == "tie_word_embeddings is True, but the weights are two"


def test_tables_that_are_shared_without_being_asked_fail():
    subject = models.llama()
    subject.module.lm_head.weight = subject.module.model.embed_tokens.weight
    assert TiedWeights().run(models.trial(subject)).outcome is Outcome.FAIL


def test_a_model_with_one_table_is_not_asked():
    assert TiedWeights().applies(models.trial(models.vit())) is not None


def test_a_decoder_that_was_built_alone_keeps_its_own_word_about_its_tables():
    encoder = transformers.ViTConfig(**models.TOWER, image_size=32, patch_size=8)
    decoder = transformers.GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, add_cross_attention=True)
    config = transformers.VisionEncoderDecoderConfig(encoder=encoder.to_dict(), decoder=decoder.to_dict())
    module = transformers.VisionEncoderDecoderModel(config).eval()
    inputs = {"pixel_values": models.noise(2, 3, 32, 32), "decoder_input_ids": models.ids(2, 7)}
    finding = TiedWeights().run(models.trial(models.subject(module, inputs)))
    assert finding.figures == {"tied": True}


def test_a_decoder_whose_words_go_in_apart_from_the_encoders_is_looked_at():
    tower = {**models.TEXT, "num_key_value_heads": 2, "head_dim": 8}
    module = models.built(
        transformers.T5GemmaForConditionalGeneration,
        transformers.T5GemmaConfig,
        encoder=tower,
        decoder=tower,
        vocab_size=99,
    )
    inputs = {"input_ids": models.ids(), "decoder_input_ids": models.ids(2, 7)}
    assert TiedWeights().run(models.trial(models.subject(module, inputs))).outcome is Outcome.PASS
