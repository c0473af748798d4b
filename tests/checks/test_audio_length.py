"""A mask of a sound that is dropped, or read on one path only, is found."""

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput

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


class Counting(Hearing):
    """Wants a place in the text for everything that the mask shows."""

    def forward(self, input_values, attention_mask, input_ids):
        tokens, features = input_ids.shape[1], int(attention_mask[0].sum())
        if tokens != features:
            raise ValueError(f"Audio features and audio tokens do not match, tokens: {tokens}, features: {features}")
        return super().forward(input_values, attention_mask)


def test_a_model_that_counts_the_places_of_what_is_shown_is_not_asked():
    inputs = {
        "input_values": models.noise(2, 64),
        "attention_mask": np.ones((2, 64), np.int64),
        "input_ids": np.ones((2, 64), np.int64),
    }
    model = Counting(lambda mask: mask)
    finding = AudioLength().run(models.trial(models.subject(model, inputs, modalities=(Modality.AUDIO,))))
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "features: 32" in finding.message


class Normalising(torch.nn.Module):
    """Normalises over the whole sound, padding included, and only then looks at its mask."""

    def __init__(self, masking):
        super().__init__()
        self.masking = masking
        self.feature_extractor = torch.nn.GroupNorm(1, 1)

    def forward(self, input_values, attention_mask):
        heard = self.feature_extractor(input_values[:, None])[:, 0].abs() * self.masking(attention_mask)
        return {"logits": heard.sum(1).repeat(4, 1).T}


@pytest.mark.parametrize(
    ("masking", "outcome"), [(lambda mask: mask, Outcome.PASS), (lambda mask: 0.5 + 0.5 * mask, Outcome.FAIL)]
)
def test_what_lies_behind_a_normalisation_over_time_keeps_to_the_mask(masking, outcome):
    inputs = {"input_values": models.noise(2, 64), "attention_mask": np.ones((2, 64), np.int64)}
    trial = models.trial(models.subject(Normalising(masking), inputs, modalities=(Modality.AUDIO,)))
    finding = AudioLength().run(trial)
    assert finding.outcome is outcome, finding.message
    assert finding.figures["changed_behind"] == "1 normalisations over time"


def test_a_model_that_normalises_over_time_deep_inside_is_not_asked():
    inputs = {"input_values": models.noise(2, 64), "attention_mask": np.ones((2, 64), np.int64)}
    module = Hearing(lambda mask: mask)
    module.norm = torch.nn.GroupNorm(1, 4)
    trial = models.trial(models.subject(module, inputs, modalities=(Modality.AUDIO,)))
    assert "deep inside" in AudioLength().applies(trial)


class Recogniser(torch.nn.Module):
    """Sums up the frames of an encoder that leaves nothing of what the mask hides."""

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.widen = torch.nn.Linear(1, 4)

        def forward(self, input_values, attention_mask):
            states = self.widen((input_values * attention_mask)[..., None])
            return BaseModelOutput(last_hidden_state=states)

    def __init__(self, weights):
        super().__init__()
        self.base_model, self.weights = self.Encoder(), weights

    def forward(self, input_values, attention_mask):
        weights = self.weights(attention_mask.float())[..., None]
        states = self.base_model(input_values, attention_mask)[0]
        return {"logits": (states * weights).sum(1) / weights.sum(1)}


@pytest.mark.parametrize(("weights", "outcome"), [(lambda mask: mask, Outcome.PASS), (torch.ones_like, Outcome.FAIL)])
def test_a_head_that_sums_up_hidden_frames_fails(weights, outcome):
    inputs = {"input_values": models.noise(2, 64), "attention_mask": np.ones((2, 64), np.int64)}
    trial = models.trial(models.subject(Recogniser(weights), inputs, modalities=(Modality.AUDIO,)))
    finding = AudioLength().run(trial)
    assert finding.outcome is outcome, finding.message
    assert "behind the encoder" in finding.message or outcome is Outcome.PASS
