"""A window that is off by one, or not there, is found."""

import pytest
import transformers

import models
from modelmuster.checks.sliding_window import SlidingWindow
from modelmuster.records import Family, Outcome


def mistral():
    config = {**models.TEXT, "num_key_value_heads": 2, "sliding_window": 6}
    module = models.built(transformers.MistralForCausalLM, transformers.MistralConfig, **config)
    return models.subject(module, {"input_ids": models.ids()}, family=Family.DECODER_ONLY, config=config)


def test_a_healthy_model_passes():
    trial = models.trial(mistral())
    assert SlidingWindow().applies(trial) is None
    finding = SlidingWindow().run(trial)
    assert finding.outcome is Outcome.PASS
    assert finding.figures == {"window": 6, "layers": 2}


@pytest.mark.parametrize(("off", "said"), [(1, "more than 5 away"), (-1, "does not see the tokens 5 away")])
def test_a_window_that_is_off_by_one_fails(monkeypatch, off, said):
    overlay = transformers.masking_utils.sliding_window_overlay
    monkeypatch.setattr(transformers.masking_utils, "sliding_window_overlay", lambda window: overlay(window + off))
    assert said in SlidingWindow().run(models.trial(mistral())).message


def test_a_model_without_a_window_is_not_asked():
    assert "no layer" in SlidingWindow().applies(models.trial(models.llama()))
