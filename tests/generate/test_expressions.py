"""Sources of inputs give back what makes them valid."""

import numpy as np
import pytest
import torch

from modelmuster.generate.expressions import expression


def evaluated(value, **options):
    source = expression(value, **options)
    torch.manual_seed(0)
    return source, eval(source, {"torch": torch})


@pytest.mark.parametrize(
    "array",
    [
        np.array([[3, 1, 4], [1, 5, 9]]),
        np.array([[5] * 3 + [99] * 300 + [7], [6] * 3 + [99] * 300 + [8]]),
        np.arange(101, 125).reshape(1, 24)[:, ::-1],
        np.tile(np.indices((4, 6)).reshape(2, -1).T, (2, 1, 1)),
        np.indices((3, 5)).reshape(2, -1).T[:, ::-1] + 1,
        np.tile(np.array([0] * 20 + [1] * 20), (2, 1)),
        np.arange(4096).reshape(2, 2048),
        np.ones((2, 500), np.int64),
        np.full((2, 3), 7, np.int32),
        np.zeros((2, 4), bool),
        np.array([[True, False], [False, False]]),
        np.array(4),
        np.ones((2, 6), np.float32),
        np.array([[0, 1, 1, 0], [1, 0, 1, 1]], np.float32),
    ],
)
def test_whole_numbers_masks_and_constants_are_kept(array):
    source, tensor = evaluated(array)
    assert np.array_equal(tensor.numpy(), array)
    assert tensor.numpy().dtype == array.dtype
    assert len(source) < 300


@pytest.mark.parametrize(
    ("array", "low", "high"),
    [
        (np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32), -9.0, 9.0),
        (np.random.default_rng(0).random((2, 40)).astype(np.float32), 0.0, 1.0),
        (np.random.default_rng(0).random((2, 40)).astype(np.float32) * 50, 0.0, 50.0),
    ],
)
def test_other_floats_are_drawn_from_the_same_range(array, low, high):
    _, tensor = evaluated(array)
    assert tuple(tensor.shape) == array.shape
    assert low <= tensor.min()
    assert tensor.max() <= high


def test_whole_numbers_without_a_pattern_are_drawn_when_they_are_too_many():
    array = np.random.default_rng(0).integers(5, 90, (2, 400))
    source, tensor = evaluated(array)
    assert source.startswith("torch.randint(")
    assert tensor.min() >= array.min()
    assert tensor.max() <= array.max()
    _, kept = evaluated(array, most=2000)
    assert np.array_equal(kept.numpy(), array)


def test_lists_numbers_words_and_empty_arrays():
    _, value = evaluated([np.array([1, 2]), np.array([3])])
    assert [part.tolist() for part in value] == [[1, 2], [3]]
    assert expression(0.5) == "0.5"
    assert expression(None) == "None"
    assert expression("left") == "'left'"
    _, empty = evaluated(np.empty((2, 15, 0), np.float32))
    assert empty.shape == (2, 15, 0)


def test_a_list_of_drawn_members_draws_each():
    draw = np.random.default_rng(0)
    source, value = evaluated([draw.standard_normal((3, 8)).astype(np.float32) for _ in range(2)])
    assert "*" not in source
    assert not torch.equal(*value)


def test_a_row_is_written_in_pieces_that_fit_on_a_line():
    source, _ = evaluated(np.arange(101, 125).reshape(1, 24)[:, ::-1])
    assert all(len(piece) <= 80 for piece in source.split(" + "))


def test_tables_of_more_than_two_axes_are_drawn_sooner():
    array = np.random.default_rng(0).integers(5, 90, (2, 12, 4))
    assert expression(array).startswith("torch.randint(")
    assert expression(array.reshape(8, 12)).startswith("torch.tensor(")


def test_patches_keep_the_place_that_they_begin_with():
    place = np.tile(np.indices((4, 4)).reshape(2, -1).T + 1, (2, 1, 1))
    pixels = np.random.default_rng(0).standard_normal((2, 16, 12))
    source, tensor = evaluated(np.concatenate([place, pixels], -1).astype(np.float32))
    assert np.array_equal(tensor[..., :2].numpy(), place)
    assert tensor.shape == (2, 16, 14)
    assert "torch.cartesian_prod" in source
