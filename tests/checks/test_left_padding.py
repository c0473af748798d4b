"""Pad tokens that are seen, or counted, on the left are found."""

import caches

import models
from modelmuster.checks.left_padding import LeftPadding
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    assert LeftPadding().run(models.trial(models.mixtral())).outcome is Outcome.PASS


def test_a_mask_that_is_dropped_fails():
    finding = LeftPadding().run(models.trial(caches.maskless(models.llama())))
    assert finding.outcome is Outcome.FAIL
    assert "3 pad tokens on the left" in finding.message
