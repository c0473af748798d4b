"""A static cache that writes to the wrong place is found, and so is a window that is cut too short."""

import transformers

import models
from modelmuster.checks.cache_classes import CacheClasses
from modelmuster.records import Family, Outcome


def mistral():
    config = {**models.TEXT, "num_key_value_heads": 2, "sliding_window": 6}
    module = models.built(transformers.MistralForCausalLM, transformers.MistralConfig, **config)
    return models.subject(module, {"input_ids": models.ids()}, family=Family.DECODER_ONLY, config=config)


def test_healthy_models_pass_with_both_caches():
    for subject in (models.llama(), mistral()):
        finding = CacheClasses().run(models.trial(subject))
        assert finding.outcome is Outcome.PASS, finding.message
        assert {"dynamic.step_3.relative_rmse", "static.step_3.relative_rmse"} <= set(finding.figures)


def test_a_static_cache_that_shows_its_empty_places_fails(monkeypatch):
    update = transformers.cache_utils.StaticLayer.update

    def misplaced(self, key_states, value_states, *args, **kwargs):
        keys, values = update(self, key_states, value_states, *args, **kwargs)
        return keys.roll(1, -2), values

    monkeypatch.setattr(transformers.cache_utils.StaticLayer, "update", misplaced)
    finding = CacheClasses().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert finding.message.startswith("static cache: tokens 0 to 8")


def test_a_window_that_is_cut_too_short_fails(monkeypatch):
    update = transformers.cache_utils.DynamicSlidingWindowLayer.update

    def short(self, key_states, value_states, *args, **kwargs):
        keys, values = update(self, key_states, value_states, *args, **kwargs)
        if key_states.shape[-2] == 1:
            keys[..., 0, :] = 0
        return keys, values

    monkeypatch.setattr(transformers.cache_utils.DynamicSlidingWindowLayer, "update", short)
    assert CacheClasses().run(models.trial(mistral())).message.startswith("dynamic cache")
