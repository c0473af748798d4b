"""Prompts that see their own padding are found."""

import caches

import models
from modelmuster.checks.generate_padded import GeneratePadded
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    assert GeneratePadded().run(models.trial(models.llama())).outcome is Outcome.PASS


def test_a_mask_that_is_dropped_fails():
    finding = GeneratePadded().run(models.trial(caches.maskless(models.llama())))
    assert finding.outcome is Outcome.FAIL
    assert "padded on the left" in finding.message
