"""Token by token from nothing: positions that start again are found."""

import caches

import models
from modelmuster.checks.stepwise import Stepwise
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    assert Stepwise().run(models.trial(models.mixtral())).outcome is Outcome.PASS


def test_positions_that_start_again_fail():
    finding = Stepwise().run(models.trial(caches.restarting(models.llama())))
    assert finding.outcome is Outcome.FAIL
    assert "tokens 1 to 1" in finding.message


def test_a_model_without_a_cache_is_not_asked():
    assert "no cache" in Stepwise().applies(
        models.trial(models.subject(models.bert().module.embeddings, {"input_ids": models.ids()}))
    )
