"""Maps that are no probabilities, or look ahead, are found."""

import pytest
from transformers.models.llama import modeling_llama

import models
from modelmuster.checks.attention_maps import AttentionMaps
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name, count in (("bert", 2), ("llama", 2), ("vit", 2)):
        finding = AttentionMaps().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS, finding.message
        assert finding.figures["attentions"] == count


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda output, weights: (output, weights * 2), "add up to 2"),
        (lambda output, weights: (output, weights - 0.5), "negative"),
        (lambda output, weights: (output, weights.flip(-1)), "looks ahead"),
    ],
)
def test_maps_that_are_wrong_fail(monkeypatch, change, said):
    eager = modeling_llama.eager_attention_forward
    monkeypatch.setattr(
        modeling_llama, "eager_attention_forward", lambda *args, **kwargs: change(*eager(*args, **kwargs))
    )
    finding = AttentionMaps().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message
