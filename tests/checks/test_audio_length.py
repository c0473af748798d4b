"""A mask of a sound that is dropped, or read on one path only, is found."""

import numpy as np
import pytest
import torch

import models
from modelmuster.checks.audio_length import AudioLength
from modelmuster.records import Modality, Outcome


class Hearing(torch.nn.Module):
    """Answers with the loudness of what it hears."""

    def __init__(self, masking):
        super().__init__()
        self.masking = masking
        self.scale = torch.nn.Parameter(torch.ones(4))

    def forward(self, input_values, attention_mask):
        heard = (input_values.abs() * self.masking(attention_mask)).cumsum(1)
        return {"logits": heard.mean(1, keepdim=True) * self.scale}


def ask(masking):
    inputs = {"input_values": models.noise(2, 64), "attention_mask": np.ones((2, 64), np.int64)}
    trial = models.trial(models.subject(Hearing(masking), inputs, modalities=(Modality.AUDIO,)))
    assert AudioLength().applies(trial) is None
    return AudioLength().run(trial)


def test_a_mask_that_is_read_passes():
    assert ask(lambda mask: mask).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("masking", "said"), [(torch.ones_like, "not read"), (lambda mask: 0.5 + 0.5 * mask, "under the mask")]
)
def test_a_mask_that_is_not_read_or_leaks_fails(masking, said):
    finding = ask(masking)
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message


def test_a_model_that_normalises_over_time_is_not_asked():
    inputs = {"input_values": models.noise(2, 64), "attention_mask": np.ones((2, 64), np.int64)}
    module = Hearing(lambda mask: mask)
    module.norm = torch.nn.GroupNorm(1, 4)
    trial = models.trial(models.subject(module, inputs, modalities=(Modality.AUDIO,)))
    assert "before any mask" in AudioLength().applies(trial)
