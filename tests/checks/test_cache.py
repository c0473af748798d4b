"""A cache that forgets, mixes its layers up or counts positions wrongly is found."""

import pytest
import transformers

import models
from modelmuster.checks.cache import CachedDecoding
from modelmuster.records import Family, Outcome


def gpt2():
    config = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
    module = models.built(transformers.GPT2LMHeadModel, transformers.GPT2Config, **config)
    return models.subject(module, {"input_ids": models.ids()}, family=Family.DECODER_ONLY, config=config)


@pytest.mark.parametrize("make", [models.llama, models.mixtral, gpt2])
def test_a_healthy_model_passes(make):
    trial = models.trial(make())
    assert CachedDecoding().applies(trial) is None
    finding = CachedDecoding().run(trial)
    assert finding.outcome is Outcome.PASS
    assert "step_3.relative_rmse" in finding.figures


def test_a_cache_that_keeps_only_the_last_tokens_fails(monkeypatch):
    update = transformers.cache_utils.DynamicLayer.update

    def forgetful(self, key_states, value_states, *args, **kwargs):
        keys, values = update(self, key_states, value_states, *args, **kwargs)
        if key_states.shape[-2] == keys.shape[-2]:
            return keys, values
        keys[..., 0, :] = 0
        return keys, values

    monkeypatch.setattr(transformers.cache_utils.DynamicLayer, "update", forgetful)
    finding = CachedDecoding().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "on top of the cache" in finding.message


def test_positions_that_start_again_with_every_step_fail():
    subject = models.llama()
    rotary = subject.module.model.rotary_emb

    def restart(module, args, kwargs):
        positions = kwargs.get("position_ids", args[1] if len(args) > 1 else None)
        return args[:1], {"position_ids": positions - positions[:, :1]}

    rotary.register_forward_pre_hook(restart, with_kwargs=True)
    assert CachedDecoding().run(models.trial(subject)).outcome is Outcome.FAIL


def test_a_model_without_a_cache_is_not_asked():
    assert CachedDecoding().applies(models.trial(models.vit()))
