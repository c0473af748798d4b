"""Arrays beside the data that a model takes and does not read are named."""

import numpy as np
import pytest
import torch

import models
from modelmuster.checks.side_inputs import SideInputs
from modelmuster.records import Modality, Outcome


class Pointed(torch.nn.Module):
    """Answers with pixels, weighted by labels of points and by how many seconds lie between frames."""

    def __init__(self, reading):
        super().__init__()
        self.reading = reading
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, pixel_values, input_labels, seconds_per_frame, crop_mask):
        weight = self.reading(input_labels[:, 0], seconds_per_frame, crop_mask.float().mean(1))
        return {"logits": pixel_values.mean((2, 3)) * self.scale * weight[:, None]}


def ask(reading):
    inputs = {
        "pixel_values": models.noise(2, 3, 8, 8),
        "input_labels": np.array([[1, 0], [1, 0]]),
        "seconds_per_frame": np.ones(2, np.float32),
        "crop_mask": np.ones((2, 4), bool),
    }
    trial = models.trial(models.subject(Pointed(reading), inputs, modalities=(Modality.IMAGE,)))
    assert SideInputs().applies(trial) is None
    return SideInputs().run(trial)


def test_a_model_that_reads_all_of_them_passes():
    finding = ask(lambda label, seconds, shown: (1 + label) * seconds * shown)
    assert finding.outcome is Outcome.PASS, finding.message
    assert set(finding.figures) == {"input_labels", "seconds_per_frame", "crop_mask"}


@pytest.mark.parametrize(
    ("reading", "deaf"),
    [
        (lambda _label, seconds, shown: seconds * shown, "input_labels"),
        (lambda label, _seconds, shown: (1 + label) * shown, "seconds_per_frame"),
        (lambda label, seconds, _shown: (1 + label) * seconds, "crop_mask"),
    ],
)
def test_what_is_not_read_is_named(reading, deaf):
    finding = ask(reading)
    assert finding.outcome is Outcome.FAIL
    assert finding.message == f"of no influence: {deaf}"


def test_a_refusal_of_other_values_counts_as_reading():
    def strict(label, seconds, shown):
        if not bool((label == 1).all()):
            raise ValueError("a point without a label")
        return seconds * shown

    finding = ask(strict)
    assert finding.outcome is Outcome.PASS
    assert "a point without a label" in finding.figures["input_labels"]


def test_a_model_that_is_fed_its_data_alone_is_not_asked():
    assert SideInputs().applies(models.trial(models.vit()))
    assert SideInputs().applies(models.trial(models.bert()))
