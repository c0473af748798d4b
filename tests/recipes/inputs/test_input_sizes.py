"""Facts read from configs."""

from __future__ import annotations

import pytest
import torch

from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.sizes import PLACEHOLDERS, Sizes, square
from modelmuster.records import Modality


@pytest.mark.parametrize(
    ("value", "sides"),
    [
        (8, (8, 8)),
        ([4, 6], (4, 6)),
        ((2, 4, 6), (4, 6)),
        ([5], (5, 5)),
        ({"height": 3, "width": 7}, (3, 7)),
        ({"longest_edge": 9}, (9, 9)),
        (None, None),
        ("auto", None),
    ],
)
def test_square_reads_every_way_to_write_a_size(value, sides):
    assert square(value) == sides


def test_sizes_of_a_vision_language_model(llava):
    sizes = Sizes(llava)
    assert (sizes.vocabulary, sizes.image, sizes.patch, sizes.channels, sizes.width) == (99, (32, 32), (8, 8), 3, 32)
    assert sizes.token(PLACEHOLDERS[Modality.IMAGE]) == 98
    assert {0, 1, 2, 98} <= sizes.special


def test_temporal_patches_and_merging(qwen2_vl):
    sizes = Sizes(qwen2_vl)
    assert (sizes.temporal_patch, sizes.merge) == (2, 2)


def test_audio_facts(whisper):
    sizes = Sizes(whisper)
    assert sizes.mel_bins == 20
    assert sizes.target_vocabulary == 99


def test_plain_ids_hold_no_special_one_unless_all_are(llava):
    sizes = Sizes(llava)
    assert not set(sizes.plain(99)) & sizes.special
    assert sizes.plain(2) == [0, 1]


def test_streams_of_one_seed_are_independent_and_repeatable():
    assert torch.equal(Draw(3, "image").normal(4), Draw(3, "image").normal(4))
    assert not torch.equal(Draw(3, "image").normal(4), Draw(3, "text").normal(4))
    assert not torch.equal(Draw(3).normal(4), Draw(4).normal(4))


def test_integers_stay_in_range_even_when_it_is_empty():
    assert Draw(0).integers(3, 3, 5).tolist() == [3] * 5
    values = Draw(0).integers(2, 6, 100)
    assert (int(values.min()), int(values.max())) == (2, 5)
