"""Videos: clips in an argument of their own, beside that for images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, Fragment, normal
from modelmuster.recipes.inputs.patches import PACKED_SIDE, grid, packed, pooled, positioned_features, positions
from modelmuster.records import Modality

PIXELS = "pixel_values_videos"
POSITIONED_SIDE = 6
"""Patches along one side of a frame whose patches carry positions; a multiple of the usual pooling of 2 and 3."""


def video_fragments(callee: Callee) -> Iterator[Fragment]:
    """Every arrangement of clips that fits the arguments of `forward`, the most specific first."""
    if not callee.takes(PIXELS):
        return
    yield from _gridded(callee)
    yield from _positioned(callee)
    yield from _packed(callee)
    yield from _pooled(callee)
    yield from _frames(callee)


def _gridded(callee: Callee) -> Iterator[Fragment]:
    """Patches of all clips in one list, with the grid (time, height, width) of each clip beside it."""
    if not callee.takes("video_grid_thw"):
        return
    sizes = callee.sizes
    side = 2 * sizes.merge
    for depth in dict.fromkeys((sizes.temporal_patch, 1, 2)):
        features = sizes.channels * depth * sizes.patch[0] * sizes.patch[1]
        for steps in (2, 1):

            def make(draw: Draw, features: int = features, steps: int = steps) -> dict[str, Any]:
                return {
                    PIXELS: draw.normal(BATCH * steps * side * side, features),
                    "video_grid_thw": torch.tensor([[steps, side, side]] * BATCH),
                }

            yield Fragment(f"patches-{depth}-steps-{steps}", Modality.VIDEO, make)
    shape = (sizes.channels, *sizes.patch)
    for steps in (2, 1):

        def images(draw: Draw, steps: int = steps) -> dict[str, Any]:
            return {
                PIXELS: draw.normal(BATCH * steps * side * side, *shape),
                "video_grid_thw": torch.tensor([[steps, side, side]] * BATCH),
            }

        yield Fragment(f"patch-images-steps-{steps}", Modality.VIDEO, images)


def _positioned(callee: Callee) -> Iterator[Fragment]:
    """Patches of every frame with their columns and rows, all clips' frames in one list."""
    if not callee.takes("video_position_ids"):
        return
    features = positioned_features(callee)
    for per_clip in (2, 1):

        def make(draw: Draw, frames: int = BATCH * per_clip, per_clip: int = per_clip) -> dict[str, Any]:
            return {
                PIXELS: draw.normal(frames, POSITIONED_SIDE**2, features),
                "video_position_ids": positions(POSITIONED_SIDE).expand(frames, -1, -1).clone(),
                "num_frames_per_video": torch.full((BATCH,), per_clip),
            }

        yield Fragment(f"positioned-frames-{per_clip}", Modality.VIDEO, make)


def _packed(callee: Callee) -> Iterator[Fragment]:
    """Patches of all clips side by side, frame by frame, with the shape of each picture (MiniCPM-V)."""
    if not callee.takes("target_sizes_videos"):
        return

    def make(draw: Draw) -> dict[str, Any]:
        return {PIXELS: packed(callee, draw), "target_sizes_videos": grid(PACKED_SIDE)}

    yield Fragment("packed-frames", Modality.VIDEO, make)


def _pooled(callee: Callee) -> Iterator[Fragment]:
    """Two frames per clip, the patches of each pooled into tokens by a table (Molmo 2)."""
    if not callee.takes("video_token_pooling"):
        return

    def make(draw: Draw) -> dict[str, Any]:
        values, table, side = pooled(callee, draw, BATCH * 2)
        return {
            PIXELS: values,
            "video_token_pooling": table,
            "video_grids": torch.tensor([[2, side, side]] * BATCH),
        }

    yield Fragment("pooled-patches", Modality.VIDEO, make)


def _frames(callee: Callee) -> Iterator[Fragment]:
    """Whole frames, clip by clip or all in one list."""
    sizes = callee.sizes
    for height, width in dict.fromkeys([sizes.image, (64, 64), (224, 224)]):
        extent = f"{height}x{width}"
        shapes = {
            f"clip-{extent}": (BATCH, sizes.frames, sizes.channels, height, width),
            f"frames-{extent}": (BATCH * 2, sizes.channels, height, width),
            f"clip-channels-first-{extent}": (BATCH, sizes.channels, sizes.frames, height, width),
        }
        for name, shape in shapes.items():
            yield Fragment(name, Modality.VIDEO, normal(PIXELS, shape))
