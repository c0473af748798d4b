"""Writing into an input is found, in lists too."""

import torch

import models
from modelmuster.checks.inputs_unmodified import InputsUnmodified
from modelmuster.records import Outcome


def test_a_healthy_model_passes():
    assert InputsUnmodified().run(models.trial(models.clip())).outcome is Outcome.PASS


def test_an_operation_in_place_on_an_input_fails():
    class Writing(torch.nn.Module):
        def forward(self, x, images):
            images[1].mul_(2)
            return x.add_(1)

    subject = models.subject(Writing(), {"x": models.noise(2), "images": [models.noise(2), models.noise(3)]})
    finding = InputsUnmodified().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert finding.figures["modified"] == "x, images.1"
