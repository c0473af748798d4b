"""A model that looks at its labels is found."""

import hooks
from torch.nn.functional import one_hot

import models
from modelmuster.checks.labels_unseen import LabelsUnseen
from modelmuster.records import Outcome


def peeking(kwargs, output):
    if kwargs.get("labels") is not None:
        output.logits = output.logits + 0.1 * one_hot(kwargs["labels"].clamp(min=0), output.logits.shape[-1])


def test_healthy_models_pass():
    for name in ("llama", "t5"):
        assert LabelsUnseen().run(models.trial(getattr(models, name)())).outcome is Outcome.PASS


def test_answers_that_know_the_labels_fail():
    finding = LabelsUnseen().run(models.trial(hooks.after(models.llama(), peeking)))
    assert finding.outcome is Outcome.FAIL
    assert "with labels handed in" in finding.message
