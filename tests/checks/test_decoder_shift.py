"""A decoder that reads its labels unshifted, or begins with another token, is found."""

import pytest

import models
from modelmuster.checks.decoder_shift import DecoderShift
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    trial = models.trial(models.t5())
    assert DecoderShift().applies(trial) is None
    assert DecoderShift().run(trial).outcome is Outcome.PASS


@pytest.mark.parametrize("change", [lambda shifted: shifted.roll(-1, 1), lambda shifted: shifted.clamp(min=5)])
def test_another_shift_fails(monkeypatch, change):
    subject = models.t5()
    shift = subject.module._shift_right
    monkeypatch.setattr(subject.module, "_shift_right", lambda labels: change(shift(labels)))
    finding = DecoderShift().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "labels shifted by hand" in finding.message
