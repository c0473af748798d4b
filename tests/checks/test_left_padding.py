"""Pad tokens that are seen, or counted, on the left are found."""

import caches
import torch
import transformers
from transformers.models.m2m_100 import modeling_m2m_100
from transformers.models.opt import modeling_opt
from transformers.models.roberta import modeling_roberta

import models
from modelmuster.checks.left_padding import LeftPadding
from modelmuster.records import Family, Outcome

FEED = {"ffn_dim": 64, "attention_heads": 4}


def test_a_healthy_model_passes():
    assert LeftPadding().run(models.trial(models.mixtral())).outcome is Outcome.PASS


def test_a_mask_that_is_dropped_fails():
    finding = LeftPadding().run(models.trial(caches.maskless(models.llama())))
    assert finding.outcome is Outcome.FAIL
    assert "3 pad tokens on the left" in finding.message


def tabled(model_class, config_class, family):
    config = {**models.TEXT, "pad_token_id": 1, "ffn_dim": 64, "word_embed_proj_dim": 32}
    inputs = {"input_ids": models.ids(), "attention_mask": models.ids() // models.ids()}
    return models.subject(models.built(model_class, config_class, **config), inputs, family=family, config=config)


def opt():
    return tabled(transformers.OPTForCausalLM, transformers.OPTConfig, Family.DECODER_ONLY)


def roberta():
    return tabled(transformers.RobertaModel, transformers.RobertaConfig, Family.ENCODER_ONLY)


def test_models_that_count_positions_past_the_padding_pass():
    for subject in (opt(), roberta()):
        trial = models.trial(subject)
        assert LeftPadding().applies(trial) is None
        finding = LeftPadding().run(trial)
        assert finding.outcome is Outcome.PASS, finding.message
        assert "counted.relative_rmse" in finding.figures


def test_positions_that_count_the_padding_fail(monkeypatch):
    table = modeling_opt.OPTLearnedPositionalEmbedding.forward
    monkeypatch.setattr(
        modeling_opt.OPTLearnedPositionalEmbedding,
        "forward",
        lambda self, attention_mask, past=0, position_ids=None: table(
            self, attention_mask, past, torch.arange(attention_mask.shape[1])[None]
        ),
    )
    assert "3 pad tokens on the left" in LeftPadding().run(models.trial(opt())).message
    monkeypatch.setattr(
        modeling_roberta.RobertaEmbeddings,
        "create_position_ids_from_input_ids",
        staticmethod(lambda ids, padding, past=0: torch.arange(ids.shape[1]).expand_as(ids) + padding + 1),
    )
    assert "positions counted" in LeftPadding().run(models.trial(roberta())).message


def test_a_table_that_counts_columns_is_not_asked_without_positions():
    subject = models.bert()
    subject.module.forward = lambda input_ids, attention_mask: None
    assert "first column" in LeftPadding().applies(models.trial(subject))


def test_a_model_that_begins_to_count_at_two_passes():
    config = {**models.TEXT, "pad_token_id": 1}
    module = models.built(transformers.MraModel, transformers.MraConfig, **config)
    assert int(module.embeddings.position_ids[0, 0]) == 2
    inputs = {"input_ids": models.ids(), "attention_mask": models.ids() // models.ids()}
    trial = models.trial(models.subject(module, inputs, family=Family.ENCODER_ONLY, config=config))
    assert LeftPadding().run(trial).outcome is Outcome.PASS


def test_waves_that_are_counted_by_the_column_are_asked_with_positions_only():
    config = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "dff": 64, "n_positions": 64}
    module = models.built(transformers.CTRLLMHeadModel, transformers.CTRLConfig, **config)
    inputs = {"input_ids": models.ids(), "attention_mask": models.ids() // models.ids()}
    finding = LeftPadding().run(models.trial(models.subject(module, inputs, family=Family.DECODER_ONLY, config=config)))
    assert finding.outcome is Outcome.PASS, finding.message
    assert list(finding.figures) == ["given.relative_rmse"]


def m2m():
    config = {**models.TEXT, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "pad_token_id": 1}
    config |= {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in FEED.items()}
    inputs = {"input_ids": models.ids(), "attention_mask": models.ids() // models.ids()}
    return models.subject(
        models.built(transformers.M2M100Model, transformers.M2M100Config, **config),
        inputs | {"decoder_input_ids": models.ids(2, 7)},
        family=Family.ENCODER_DECODER,
        config=config,
    )


def test_an_encoder_beside_a_decoder_that_counts_its_padding_fails(monkeypatch):
    trial = models.trial(m2m())
    assert LeftPadding().applies(trial) is None
    assert LeftPadding().run(trial).outcome is Outcome.PASS
    table = modeling_m2m_100.M2M100SinusoidalPositionalEmbedding
    monkeypatch.setattr(
        table,
        "create_position_ids_from_input_ids",
        staticmethod(lambda ids, first, _past=0: torch.arange(ids.shape[1]).expand_as(ids) + first + 1),
    )
    finding = LeftPadding().run(models.trial(m2m()))
    assert finding.outcome is Outcome.FAIL
    assert "positions counted" in finding.message


def test_an_encoder_that_counts_from_the_first_column_is_not_asked():
    config = {**models.TEXT, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
    config |= {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in FEED.items()}
    bart = models.built(transformers.BartModel, transformers.BartConfig, **config)
    subject = models.subject(bart, m2m().inputs, family=Family.ENCODER_DECODER, config=config)
    assert "counts the positions" in (LeftPadding().applies(models.trial(subject)) or "")
