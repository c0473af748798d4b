"""Images as lists of patches: with grids, shapes, positions or pooling tables beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, Fragment
from modelmuster.records import Modality

GRIDS = ("image_grid_thw", "grid_thw", "image_grid_hws", "image_grid_hw", "grid_hws", "grid_hw")
POSITIONS = ("image_position_ids", "pixel_position_ids")
SIDE = 4
"""Patches along each side of an image that is given as a list of patches."""
POSITIONED_SIDES = (6, 12, 4)
"""The same for patches with positions, which are pooled by 2 or 3 afterwards."""
PACKED_SIDE = 8
"""The same for packed patches, which are merged by 2 two or three times."""


def patch_fragments(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Every arrangement of patches that fits the arguments of `forward`, the most specific first."""
    for arrange in (gridded, _pooled, _naflex, _positioned, _packed, _flat):
        yield from arrange(callee, pixels)


def _image(name: str, make: Any) -> Fragment:
    return Fragment(name, Modality.IMAGE, make)


def _features(callee: Callee, depth: int = 1) -> int:
    sizes = callee.sizes
    return sizes.channels * depth * sizes.patch[0] * sizes.patch[1]


def grid(side: int, steps: int | None = None) -> torch.Tensor:
    """The grids of all images [batch, 3] as time, height, width; [batch, 2] without `steps`."""
    return torch.tensor([[side, side] if steps is None else [steps, side, side]] * BATCH)


def gridded(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Patches of all images in one list, with the grid of each image beside it."""
    name = callee.first(*GRIDS)
    if name is None:
        return
    sizes = callee.sizes
    side = 2 * sizes.merge
    steps = 1 if name.endswith("thw") else None
    each = side * side
    height, width = sizes.patch
    merged = (sizes.merge * height, sizes.merge * width, sizes.channels)
    shapes: dict[str, tuple[int, ...]] = {}
    for depth in dict.fromkeys((sizes.temporal_patch, 1, 2)):
        shapes[f"patches-{depth}"] = (BATCH * each, _features(callee, depth))
    shapes["patch-images"] = (BATCH * each, sizes.channels, height, width)
    shapes["patch-images-batched"] = (1, BATCH * each, sizes.channels, height, width)
    # The grid counts merged patches in one model, single ones in the others.
    shapes["merged-patch-images"] = (BATCH * each, *merged)
    for depth in dict.fromkeys((sizes.temporal_patch, 1)):
        shapes[f"patches-{depth}-by-image"] = (BATCH, each, _features(callee, depth))
    shapes["nchw-gridded"] = (BATCH, sizes.channels, side * height, side * width)

    for label, shape in shapes.items():

        def make(draw: Draw, shape: tuple[int, ...] = shape) -> dict[str, Any]:
            made = {pixels: draw.normal(*shape), name: grid(side, steps)}
            if callee.takes("images_per_sample"):
                # The grid of the image to be generated follows that of the image that is given.
                made[name] = made[name].repeat_interleave(2, dim=0)
                made["images_per_sample"] = torch.full((BATCH,), 2)
            return made

        yield _image(label, make)


def _pooled(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """One crop per image, its patches pooled four by four into tokens by a table (Molmo 2)."""
    if not callee.takes("image_token_pooling"):
        return

    def make(draw: Draw) -> dict[str, Any]:
        values, table, side = pooled(callee, draw, BATCH)
        return {
            pixels: values,
            "image_token_pooling": table,
            "image_grids": torch.tensor([[side, side, 0, 0]] * BATCH),
            "image_num_crops": torch.ones(BATCH, dtype=torch.long),
        }

    yield _image("pooled-patches", make)


def pooled(callee: Callee, draw: Draw, pictures: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Patches [pictures, patches, values], the table of patches by token [tokens, 4], and tokens along a side."""
    side = callee.sizes.image[0] // callee.sizes.patch[0]
    place = torch.arange(side * side).reshape(side, side)
    table = place.unfold(0, 2, 2).unfold(1, 2, 2).reshape(-1, 4)
    tables = torch.cat([table + picture * side * side for picture in range(pictures)])
    return draw.normal(pictures, side * side, _features(callee)), tables, side // 2


def _naflex(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Patches per image up to a common number, with the shape of each image and a mask."""
    if not callee.takes("spatial_shapes"):
        return
    yield _image(
        "naflex",
        lambda draw: {
            pixels: draw.normal(BATCH, SIDE * SIDE, _features(callee)),
            "pixel_attention_mask": torch.ones(BATCH, SIDE * SIDE, dtype=torch.long),
            "spatial_shapes": grid(SIDE),
        },
    )


def _positioned(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Patches per image, each with its column and row."""
    name = callee.first(*POSITIONS)
    if name is None:
        return
    features = positioned_features(callee)
    for side in POSITIONED_SIDES:

        def make(draw: Draw, side: int = side) -> dict[str, Any]:
            return {
                pixels: draw.normal(BATCH, side * side, features),
                name: positions(side).expand(BATCH, -1, -1).clone(),
            }

        yield _image(f"positioned-{side}", make)


def positioned_features(callee: Callee) -> int:
    """Values of one patch that comes with its position; such patches may be made of several smaller ones."""
    side = callee.sizes.number(("model_patch_size",), Modality.IMAGE)
    return callee.sizes.channels * side**2 if side else _features(callee)


def positions(side: int) -> torch.Tensor:
    """Column and row [side * side, 2] of each patch of a square image, row by row."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=-1)


def _packed(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """All patches of all images side by side in one flat picture, with the shape of each image (MiniCPM-V)."""
    if not callee.takes("target_sizes"):
        return
    yield _image("packed", lambda draw: {pixels: packed(callee, draw), "target_sizes": grid(PACKED_SIDE)})


def packed(callee: Callee, draw: Draw) -> torch.Tensor:
    """Patches of square pictures, one per row of the batch, side by side [1, channels, patch, width]."""
    height, width = callee.sizes.patch
    return draw.normal(1, callee.sizes.channels, height, BATCH * PACKED_SIDE**2 * width)


def _flat(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Flattened patches per image; Pix2Struct puts row and column numbers, counted from one, before the pixels."""
    features = _features(callee)
    count = SIDE * SIDE

    def numbered(draw: Draw) -> dict[str, Any]:
        numbers = (positions(SIDE).flip(-1) + 1).float().expand(BATCH, -1, -1)
        return {pixels: torch.cat([numbers, draw.normal(BATCH, count, features)], dim=-1)}

    plain = _image("flat-patches", lambda draw: {pixels: draw.normal(BATCH, count, features)})
    placed = _image("flat-patches-numbered", numbered)
    listed = _image("listed-patches", lambda draw: {pixels: draw.normal(BATCH * count, features)})
    if pixels == "flattened_patches":
        yield from (placed, plain)
    elif pixels == "image_patches":
        yield plain
    else:
        # Last of all arrangements: whole images are far more common.
        yield from (plain, listed)
