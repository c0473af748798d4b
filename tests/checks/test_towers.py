"""A tower that makes something else when it is called alone, and tables that do not match, are found."""

import hooks

import models
from modelmuster.checks.towers import Towers
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    finding = Towers().run(models.trial(models.clip()))
    assert finding.outcome is Outcome.PASS, finding.message
    assert set(finding.figures) == {"text.relative_rmse", "image.relative_rmse", "logits_per_image.relative_rmse"}


def test_a_tower_that_differs_alone_fails(monkeypatch):
    subject = models.clip()
    trial = models.trial(subject)
    trial.rounding()  # not under the fault
    features = subject.module.get_text_features

    def alone(input_ids, **kwargs):
        return features(input_ids=input_ids if "position_ids" in kwargs else input_ids.flip(1), **kwargs)

    monkeypatch.setattr(subject.module, "get_text_features", alone)
    assert "the text tower alone" in Towers().run(trial).message


def test_tables_that_are_not_transposed_fail():
    def straight(kwargs, output):
        output.logits_per_image = output.logits_per_text

    finding = Towers().run(models.trial(hooks.after(models.clip(), straight)))
    assert finding.outcome is Outcome.FAIL
    assert "the other way round" in finding.message
