"""A cache that does not follow its rows, or keeps what was cut off, is found."""

import transformers

import models
from modelmuster.checks.cache_operations import CacheOperations
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    finding = CacheOperations().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.PASS
    assert {"reorder_cache.relative_rmse", "crop.relative_rmse"} == set(finding.figures)


def test_rows_that_stay_fail(monkeypatch):
    monkeypatch.setattr(transformers.DynamicCache, "reorder_cache", lambda self, beams: None)
    assert "after reorder_cache" in CacheOperations().run(models.trial(models.llama())).message


def test_tokens_that_stay_fail(monkeypatch):
    monkeypatch.setattr(transformers.DynamicCache, "crop", lambda self, count: None)
    finding = CacheOperations().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "after crop" in finding.message
