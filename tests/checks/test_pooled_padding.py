"""Poolings that look at what the mask hides are found."""

import pytest
import transformers
from transformers.models.bert import modeling_bert

import models
from modelmuster.checks.pooled_padding import PooledPadding
from modelmuster.records import Family, Outcome


def classifier():
    module = models.built(transformers.BertForSequenceClassification, transformers.BertConfig, **models.TEXT)
    return models.subject(module, models.bert().inputs, family=Family.ENCODER_ONLY, config=dict(models.TEXT))


def test_a_healthy_classifier_passes():
    trial = models.trial(classifier())
    assert PooledPadding().applies(trial) is None
    assert PooledPadding().run(trial).outcome is Outcome.PASS


@pytest.mark.parametrize("pool", [lambda states: states[:, -1], lambda states: states.mean(1)])
def test_a_pooling_that_reads_hidden_tokens_fails(monkeypatch, pool):
    def forward(self, hidden_states):
        return self.activation(self.dense(pool(hidden_states)))

    monkeypatch.setattr(modeling_bert.BertPooler, "forward", forward)
    finding = PooledPadding().run(models.trial(classifier()))
    assert finding.outcome is Outcome.FAIL
    assert "other tokens under the mask" in finding.message


def test_a_model_that_answers_each_token_is_not_asked():
    assert PooledPadding().run(models.trial(models.llama())).outcome is Outcome.NOT_APPLICABLE
