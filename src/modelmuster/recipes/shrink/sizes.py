"""The sizes of a tiny model. Small enough that a cell takes milliseconds, large enough that every branch has work."""

from __future__ import annotations

HIDDEN = 32
"""Width of the residual stream: 4 heads of 8, or of 16 where a config states the width of its heads."""
HEADS = 4
HEAD_DIM = 16
INDEX_HEADS = 16
VOCABULARY = 128
LAYERS = 2
MOST_LAYERS = 6
"""Never more, however many kinds of layer a config mixes."""
IMAGE = 64
"""Pixels a side, where the patch size does not ask for more."""
PATCH = 16
PATCHES = 4
"""Patches a side."""
POSITIONS = 128
WINDOW = 8
"""Shorter than the text inputs, so that a sliding window really hides tokens."""
EXPERTS = 4
EXPERTS_PER_TOKEN = 2
QUERIES = 10
CODEBOOK = 64
RANK = 8
CHUNK = 8


def width(value: int) -> int:
    """A width, by value alone: equal widths stay equal, across fields and across sub-configs.

    Projections between towers, ties between embeddings and validators compare widths of different configs; a map that
    looks at nothing but the value keeps all those equalities without knowing any of them.
    """
    if value <= 8:
        return value
    if value <= 32:
        return 8
    if value <= 96:
        return 16
    return HIDDEN


def heads(value: int) -> int:
    """A number of attention heads: 4, fewer where the default has fewer."""
    if value <= 1:
        return value
    return 2 if value < HEADS else HEADS
