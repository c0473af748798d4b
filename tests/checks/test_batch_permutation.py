"""Tables of pairs, as contrastive models return them, are permuted on both axes."""

import numpy as np
import torch

import models
from modelmuster.checks.batch_invariance import BatchInvariance
from modelmuster.checks.batch_permutation import BatchPermutation
from modelmuster.checks.batches import rows, taken
from modelmuster.contracts import Output
from modelmuster.records import Modality, Outcome


def test_pairs_are_permuted_on_both_axes():
    table = Output(np.arange(4.0).reshape(2, 2), "float32")
    permuted = rows({"logits_per_image": table, "logits": table}, [1, 0], 2)
    assert permuted["logits_per_image"].array.tolist() == [[3, 2], [1, 0]]
    assert permuted["logits"].array.tolist() == [[2, 3], [0, 1]]


def test_every_input_is_permuted():
    trial = models.trial(models.bert())
    backwards = taken(trial, [1, 0])
    assert all(np.array_equal(backwards[name], value[::-1]) for name, value in trial.inputs.items())


def test_a_contrastive_model_passes():
    assert BatchPermutation().run(models.trial(models.clip())).outcome is Outcome.PASS


def test_an_axis_of_layers_that_is_as_long_as_the_batch_is_no_axis_of_rows():
    class Layered(torch.nn.Module):
        def forward(self, pixel_values):
            return {"logits": pixel_values * 2, "intermediate": torch.stack([pixel_values + 1, pixel_values + 2])}

    trial = models.trial(models.subject(Layered(), {"pixel_values": models.noise(2, 3)}, modalities=(Modality.IMAGE,)))
    assert BatchPermutation().run(trial).outcome is Outcome.PASS


class Paired(torch.nn.Module):
    """Tells each text what every image is like: one answer for each pair."""

    def forward(self, input_ids, pixel_values):
        texts, images = input_ids.float().mean(1), pixel_values.mean((1, 2, 3))
        told = images[:, None] + texts[None, :]
        return {"text_embeds": told[..., None] * torch.arange(1.0, 4.0)}


def test_answers_for_each_pair_are_permuted_on_both_axes():
    inputs = {"input_ids": models.ids(), "pixel_values": models.noise(2, 3, 8, 8)}
    trial = models.trial(models.subject(Paired(), inputs, modalities=(Modality.TEXT, Modality.IMAGE)))
    assert BatchPermutation().run(trial).outcome is Outcome.PASS
    assert BatchInvariance().run(trial).outcome is Outcome.PASS
