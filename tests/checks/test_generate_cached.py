"""A cache that forgets changes the logits of generate()."""

import caches

import models
from modelmuster.checks.generate_cached import GenerateCached
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("llama", "t5"):
        finding = GenerateCached().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS, finding.message
        assert finding.figures["steps"] == 4


def test_a_cache_that_forgets_fails(monkeypatch):
    caches.forgetful(monkeypatch)
    finding = GenerateCached().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "with its cache" in finding.message


def test_a_class_that_cannot_generate_is_not_asked():
    assert "cannot generate" in GenerateCached().applies(models.trial(models.bert()))
