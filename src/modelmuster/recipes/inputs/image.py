"""Images: the arrangements of pixels that vision towers take, as fragments in order of preference.

All images of a batch differ. `pixels` names the argument, so that the same arrangements serve images and videos.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, Fragment
from modelmuster.records import Family, Modality

GRIDS = ("image_grid_thw", "grid_thw", "image_grid_hws", "image_grid_hw", "grid_hws", "grid_hw")
POSITIONS = ("image_position_ids", "pixel_position_ids")
FLAT_PATCHES = 16
"""Patches of an image that is given as a list of patches: 4 x 4."""
TILES = (3, 5)
"""Tiles of an image that is cut up: the whole and a row of two, or the whole and two rows of two."""


def pixel_name(callee: Callee) -> str | None:
    """The argument of `forward` that holds the pixels of images."""
    return callee.first("pixel_values", "image_pixel_values", "image", "flattened_patches", "image_patches")


def image_fragments(callee: Callee) -> Iterator[Fragment]:
    """Every arrangement of images that fits the arguments of `forward`, the most specific first."""
    pixels = pixel_name(callee)
    if pixels is None:
        return
    for arrange in (_gridded, _naflex, _positioned, _sized, _plain, _flat):
        yield from arrange(callee, pixels)


def _fragment(name: str, make: Any) -> Fragment:
    return Fragment(name, Modality.IMAGE, make)


def _gridded(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Patches of all images in one list, with the grid of each image beside it."""
    grid_name = callee.first(*GRIDS)
    if grid_name is None:
        return
    sizes = callee.sizes
    side = 2 * sizes.merge
    grid = torch.tensor([[1, side, side] if "thw" in grid_name else [side, side]] * BATCH)
    count = BATCH * side * side
    height, width = sizes.patch
    for depth in dict.fromkeys((sizes.temporal_patch, 1, 2)):
        features = sizes.channels * depth * height * width
        yield _fragment(
            f"patches-{depth}",
            lambda draw, features=features: {pixels: draw.normal(count, features), grid_name: grid.clone()},
        )
    shape = (sizes.channels, height, width)
    yield _fragment("patch-images", lambda draw: {pixels: draw.normal(count, *shape), grid_name: grid.clone()})
    yield _fragment(
        "patch-images-batched", lambda draw: {pixels: draw.normal(1, count, *shape), grid_name: grid.clone()}
    )


def _naflex(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Patches per image up to a common number, with the shape of each image and a mask."""
    if not callee.takes("spatial_shapes"):
        return
    sizes = callee.sizes
    features = sizes.channels * sizes.patch[0] * sizes.patch[1]
    yield _fragment(
        "naflex",
        lambda draw: {
            pixels: draw.normal(BATCH, FLAT_PATCHES, features),
            "pixel_attention_mask": torch.ones(BATCH, FLAT_PATCHES, dtype=torch.long),
            "spatial_shapes": torch.tensor([[4, 4]] * BATCH),
        },
    )


def _positioned(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Patches per image, each with its column and row."""
    name = callee.first(*POSITIONS)
    if name is None:
        return
    sizes = callee.sizes
    features = sizes.channels * sizes.patch[0] * sizes.patch[1]
    for side in (6, 12, 4):
        rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        positions = torch.stack([columns.flatten(), rows.flatten()], dim=-1)

        def make(draw: Draw, side: int = side, positions: torch.Tensor = positions) -> dict[str, Any]:
            return {
                pixels: draw.normal(BATCH, side * side, features),
                name: positions.expand(BATCH, -1, -1).clone(),
            }

        yield _fragment(f"positioned-{side}", make)


def _extents(callee: Callee) -> list[tuple[int, int]]:
    return list(dict.fromkeys([callee.sizes.image, (64, 64), (32, 32), (128, 128), (224, 224)]))


def _sized(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Whole or tiled images with their original sizes beside them."""
    if not callee.takes("image_sizes"):
        return
    channels = callee.sizes.channels
    for height, width in _extents(callee)[:2]:
        extent = f"{height}x{width}"

        def make(draw: Draw, *tiles: int, height: int = height, width: int = width) -> dict[str, Any]:
            return {
                pixels: draw.normal(BATCH, *tiles, channels, height, width),
                "image_sizes": torch.tensor([[height, width]] * BATCH),
            }

        yield _fragment(f"sized-{extent}", make)
        for count in TILES:
            yield _fragment(f"tiles-{count}-{extent}", lambda draw, make=make, count=count: make(draw, count))


def _plain(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Whole images, pairs of images, or clips, without anything beside them."""
    sizes = callee.sizes
    channels = sizes.channels
    clips = callee.architecture.family is Family.VIDEO or Modality.VIDEO in callee.architecture.modalities
    for index, (height, width) in enumerate(_extents(callee)):
        extent = f"{height}x{width}"
        shapes = {f"nchw-{extent}": (BATCH, channels, height, width)}
        if index < 2:
            clip = {
                f"clip-{extent}": (BATCH, sizes.frames, channels, height, width),
                f"clip-channels-first-{extent}": (BATCH, channels, sizes.frames, height, width),
            }
            single = {f"one-image-{extent}": (BATCH, 1, channels, height, width)}
            pair = {f"pair-{extent}": (BATCH, 2, channels, height, width)}
            if callee.takes("pixel_attention_mask"):
                shapes = {**single, **shapes, **pair, **clip}
            elif clips and not callee.takes("pixel_values_videos"):
                shapes = {**clip, **shapes, **pair, **single}
            else:
                shapes = {**shapes, **pair, **single, **clip}
        for name, shape in shapes.items():
            modality = Modality.VIDEO if name.startswith("clip") else Modality.IMAGE
            yield Fragment(name, modality, lambda draw, shape=shape: {pixels: draw.normal(*shape)})


def _flat(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Flattened patches per image; Pix2Struct puts row and column numbers, counted from one, before the pixels."""
    sizes = callee.sizes
    features = sizes.channels * sizes.patch[0] * sizes.patch[1]

    def numbered(draw: Draw) -> dict[str, Any]:
        place = torch.arange(FLAT_PATCHES)
        numbers = torch.stack([place // 4 + 1, place % 4 + 1], dim=-1).float().expand(BATCH, -1, -1)
        return {pixels: torch.cat([numbers, draw.normal(BATCH, FLAT_PATCHES, features)], dim=-1)}

    plain = _fragment("flat-patches", lambda draw: {pixels: draw.normal(BATCH, FLAT_PATCHES, features)})
    placed = _fragment("flat-patches-numbered", numbered)
    yield from (placed, plain) if pixels == "flattened_patches" else (plain, placed)
