"""Tables that should be one and are two, or the other way round, are found."""

import pytest
import torch

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
