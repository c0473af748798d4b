"""Generation that strays from the largest logit is found."""

import pytest
import transformers

import models
from modelmuster.checks.generate_greedy import GenerateGreedy
from modelmuster.records import Outcome


@pytest.mark.parametrize("name", ["llama", "t5", "mixtral"])
def test_a_healthy_model_passes(name):
    trial = models.trial(getattr(models, name)())
    assert GenerateGreedy().applies(trial) is None
    finding = GenerateGreedy().run(trial)
    assert finding.outcome is Outcome.PASS
    assert finding.figures["tokens"] > 0


def test_a_broken_cache_strays(monkeypatch):
    update = transformers.cache_utils.DynamicLayer.update

    def forgetful(self, key_states, value_states, *args, **kwargs):
        keys, values = update(self, key_states, value_states, *args, **kwargs)
        # Turned round, so that another token comes out on top and not only by another margin.
        return (-keys, -values) if key_states.shape[-2] == 1 else (keys, values)

    monkeypatch.setattr(transformers.cache_utils.DynamicLayer, "update", forgetful)
    finding = GenerateGreedy().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "generate() chose" in finding.message


def test_a_class_that_cannot_generate_is_not_asked():
    assert "cannot generate" in GenerateGreedy().applies(models.trial(models.bert()))
