"""Counting the vectors that towers return."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from modelmuster.recipes.inputs.counting import Heard, count_vectors, trial
from modelmuster.records import Modality


@pytest.mark.parametrize(
    ("features", "counts"),
    [
        (torch.zeros(2, 5, 8), [10]),
        (torch.zeros(7, 8), [7]),
        ([torch.zeros(3, 8), torch.zeros(4, 8)], [3, 4]),
        ((torch.zeros(1, 3, 8), torch.zeros(2, 3, 8)), [3, 6]),
        (SimpleNamespace(pooler_output=torch.zeros(6, 8), last_hidden_state=torch.zeros(2, 9, 8)), [6]),
        (SimpleNamespace(pooler_output=None, last_hidden_state=torch.zeros(2, 9, 8)), [18]),
        (torch.zeros(8), []),
        (None, []),
    ],
)
def test_vectors_are_counted_whatever_holds_them(features, counts):
    assert count_vectors(features) == counts


def test_one_count_per_row_comes_from_lists_by_item():
    assert Heard(returned={Modality.IMAGE: [3, 4, 5, 6]}).per_row(Modality.IMAGE) == (7, 11)


def test_a_total_is_shared_evenly():
    assert Heard(returned={Modality.IMAGE: [10]}).per_row(Modality.IMAGE) == (5, 5)


def test_what_was_compared_outweighs_what_was_returned():
    heard = Heard(returned={Modality.AUDIO: [10]}, compared={Modality.AUDIO: 8})
    assert heard.per_row(Modality.AUDIO) == (4, 4)


def test_an_error_message_counts_where_no_tower_was_heard():
    assert Heard(told=24).per_row(Modality.AUDIO) == (12, 12)


def test_a_message_that_names_the_features_is_counted_from():
    class Refusing(torch.nn.Module):
        def forward(self):
            raise ValueError("Audio features and audio tokens do not match, tokens: 2, features: 128")

    assert trial(Refusing(), {}).per_row(Modality.AUDIO) == (64, 64)


@pytest.mark.parametrize(
    "heard", [Heard(), Heard(returned={Modality.IMAGE: [5]}), Heard(returned={Modality.IMAGE: []})]
)
def test_nothing_heard_or_an_odd_total_gives_no_count(heard):
    assert heard.per_row(Modality.IMAGE) is None


def test_a_trial_with_too_few_placeholders_still_hears_the_tower(llava):
    ids = torch.tensor([[5, 98, 6], [7, 98, 8]])
    heard = trial(llava, {"input_ids": ids, "pixel_values": torch.randn(2, 3, 32, 32)})
    assert heard.error is not None
    assert "image tokens do not match" in heard.error
    assert heard.per_row(Modality.IMAGE) == (16, 16)
    assert heard.compared == {Modality.IMAGE: 32}


def test_a_trial_that_runs_keeps_the_outputs(bert):
    heard = trial(bert, {"input_ids": torch.tensor([[5, 6, 7]])})
    assert heard.error is None
    assert heard.outputs["logits"].shape == (1, 3, 99)


def test_vectors_that_found_no_place_are_counted():
    class Silent(torch.nn.Module):
        def forward(self, ids, vectors):
            into = torch.zeros(*ids.shape, 8)
            return into.masked_scatter((ids == 9)[..., None], vectors)

    ids = torch.tensor([[1, 9, 2], [3, 9, 4]])
    assert trial(Silent(), {"ids": ids, "vectors": torch.zeros(2, 5, 8)}).per_row(Modality.IMAGE) == (5, 5)
    assert trial(Silent(), {"ids": ids, "vectors": torch.zeros(2, 1, 8)}).told is None
