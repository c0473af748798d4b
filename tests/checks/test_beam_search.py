"""Beams whose cache stays behind are scored by another sequence's states."""

import transformers

import models
from modelmuster.checks.beam_search import BeamSearch
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("llama", "t5"):
        finding = BeamSearch().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS, finding.message


def test_a_cache_that_stays_behind_its_beams_fails(monkeypatch):
    monkeypatch.setattr(transformers.DynamicCache, "reorder_cache", lambda self, beams: None)
    finding = BeamSearch().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "log-probability in a full pass" in finding.message
