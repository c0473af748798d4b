"""One way of computing the experts that strays is found."""

from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

import models
from modelmuster.checks.experts_implementation import ExpertsImplementation
from modelmuster.records import Outcome


def test_a_healthy_model_passes_and_keeps_its_implementation():
    subject = models.mixtral()
    before = subject.module.config._experts_implementation
    assert ExpertsImplementation().run(models.trial(subject)).outcome is Outcome.PASS
    assert subject.module.config._experts_implementation == before


def test_an_implementation_that_strays_fails(monkeypatch):
    batched = ALL_EXPERTS_FUNCTIONS["batched_mm"]
    monkeypatch.setitem(
        ALL_EXPERTS_FUNCTIONS._global_mapping, "batched_mm", lambda *args, **kwargs: 1.01 * batched(*args, **kwargs)
    )
    finding = ExpertsImplementation().run(models.trial(models.mixtral()))
    assert finding.outcome is Outcome.FAIL
    assert "eager and batched_mm disagree" in finding.message
