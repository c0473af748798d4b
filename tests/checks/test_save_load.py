"""Weights that do not survive the disk are found."""

import pytest
import torch
import transformers

import models
from modelmuster.checks.save_load import SaveLoad
from modelmuster.records import Outcome


@pytest.mark.parametrize("name", ["bert", "t5", "clip", "mixtral"])
def test_a_healthy_model_passes(name):
    finding = SaveLoad().run(models.trial(getattr(models, name)()))
    assert finding.outcome is Outcome.PASS, finding.message


def test_tied_weights_are_tied_again():
    module = models.built(
        transformers.LlamaForCausalLM,
        transformers.LlamaConfig,
        **{**models.TEXT, "num_key_value_heads": 2, "tie_word_embeddings": True},
    )
    assert SaveLoad().run(models.trial(models.subject(module, {"input_ids": models.ids()}))).outcome is Outcome.PASS


def test_a_parameter_that_is_not_saved_fails(monkeypatch):
    subject = models.bert()
    save = subject.module.save_pretrained

    def forgetful(folder, **kwargs):
        state = {name: value for name, value in subject.module.state_dict().items() if "pooler" not in name}
        return save(folder, state_dict=state, **kwargs)

    monkeypatch.setattr(subject.module, "save_pretrained", forgetful)
    finding = SaveLoad().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "missing keys" in finding.message


def test_a_parameter_that_is_saved_wrongly_fails(monkeypatch):
    subject = models.bert()
    save = subject.module.save_pretrained

    def rounding(folder, **kwargs):
        state = {name: value.bfloat16().to(value.dtype) for name, value in subject.module.state_dict().items()}
        return save(folder, state_dict=state, **kwargs)

    monkeypatch.setattr(subject.module, "save_pretrained", rounding)
    assert "differ after loading" in SaveLoad().run(models.trial(subject)).message


def test_a_module_of_another_library_is_not_asked():
    assert SaveLoad().applies(models.trial(models.subject(torch.nn.Identity(), {"input": models.noise(2)})))


def test_a_tie_that_is_lost_fails(monkeypatch):
    config = {**models.TEXT, "num_key_value_heads": 2, "tie_word_embeddings": True}
    module = models.built(transformers.LlamaForCausalLM, transformers.LlamaConfig, **config)
    load = transformers.LlamaForCausalLM.from_pretrained

    def untied(*args, **kwargs):
        loaded, said = load(*args, **kwargs)
        loaded.lm_head.weight = torch.nn.Parameter(loaded.lm_head.weight.clone())
        return loaded, said

    monkeypatch.setattr(transformers.LlamaForCausalLM, "from_pretrained", untied)
    finding = SaveLoad().run(models.trial(models.subject(module, {"input_ids": models.ids()})))
    assert "one tensor before, but two after loading" in finding.message
