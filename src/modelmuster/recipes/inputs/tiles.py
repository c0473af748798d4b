"""Large images cut into tiles: with sizes, aspect ratios, masks or a view of the whole beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, Fragment
from modelmuster.recipes.inputs.sizes import value_of
from modelmuster.records import Modality

TILES = (3, 5)
"""Tiles of an image where no table of tilings is given: the whole and a row of two, or two rows of two."""
LOCAL_VIEWS = 2


def tile_fragments(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Every arrangement of tiles that fits the arguments of `forward`, the most specific first."""
    for arrange in (_aspect_ratios, _local_views, _cropped, _sized, _masked):
        yield from arrange(callee, pixels)


def _image(name: str, make: Any) -> Fragment:
    return Fragment(name, Modality.IMAGE, make)


def tilings(callee: Callee) -> list[tuple[int, int]]:
    """Heights and widths in pixels that images may be resized to before they are cut; empty where none are stated."""
    for part in callee.sizes.parts(Modality.IMAGE):
        table = value_of(part, "image_grid_pinpoints")
        if isinstance(table, (list, tuple)) and table:
            return [(int(height), int(width)) for height, width in table]
    return []


def _sized(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Whole or tiled images with their original sizes beside them."""
    if not callee.takes("image_sizes"):
        return
    channels = callee.sizes.channels
    side = callee.sizes.image

    def arrangement(name: str, tiles: tuple[int, ...], extent: tuple[int, int], original: tuple[int, int]) -> Fragment:
        return _image(
            name,
            lambda draw: {
                pixels: draw.normal(BATCH, *tiles, channels, *extent),
                "image_sizes": torch.tensor([original] * BATCH),
            },
        )

    for height, width in sorted(tilings(callee), key=lambda extent: extent[0] * extent[1])[:1]:
        count = math.ceil(height / side[0]) * math.ceil(width / side[1]) + 1
        yield arrangement(f"tiling-{height}x{width}", (count,), side, (height, width))
    for extent in dict.fromkeys([side, (64, 64)]):
        label = f"{extent[0]}x{extent[1]}"
        yield arrangement(f"sized-{label}", (), extent, extent)
        for count in TILES:
            yield arrangement(f"tiles-{count}-{label}", (count,), extent, extent)


def _aspect_ratios(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """One image per row with as many tiles as allowed, the number of its aspect ratio and a mask (Mllama)."""
    if not callee.takes("aspect_ratio_ids"):
        return
    tiles = callee.sizes.number(("max_num_tiles",), Modality.IMAGE) or 4

    def make(draw: Draw) -> dict[str, Any]:
        return {
            pixels: draw.normal(BATCH, 1, tiles, callee.sizes.channels, *callee.sizes.image),
            # Number 1 is one tile; a table in the config holds the tilings in order.
            "aspect_ratio_ids": torch.tensor([[_widest(callee, tiles)]] * BATCH),
            "aspect_ratio_mask": torch.ones(BATCH, 1, tiles, dtype=torch.long),
        }

    yield _image("aspect-ratios", make)


def _widest(callee: Callee, tiles: int) -> int:
    """The number, counted from one, of the first tiling that uses all tiles."""
    for part in callee.sizes.parts(Modality.IMAGE):
        table = value_of(part, "supported_aspect_ratios")
        if isinstance(table, (list, tuple)):
            for number, (rows, columns) in enumerate(table, start=1):
                if rows * columns == tiles:
                    return number
    return 1


def _local_views(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """A view of the whole image with several local views, those of all images in one list."""
    if not callee.takes("pixel_values_local"):
        return
    sizes = callee.sizes
    for height, width in dict.fromkeys([sizes.image, (64, 64)]):
        shape = (sizes.channels, height, width)

        def make(draw: Draw, shape: tuple[int, int, int] = shape) -> dict[str, Any]:
            made = {
                pixels: draw.normal(BATCH, *shape),
                "pixel_values_local": draw.normal(BATCH * LOCAL_VIEWS, *shape),
                "num_local_patches": torch.full((BATCH,), LOCAL_VIEWS),
            }
            if callee.takes("patches_grid"):
                made["patches_grid"] = torch.tensor([[1, LOCAL_VIEWS]] * BATCH)
            return made

        yield _image(f"local-views-{height}x{width}", make)


def _cropped(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """The whole image and one crop, with a mask over the patches of each (Phi-4 multimodal)."""
    if not callee.takes("image_attention_mask") or pixels != "image_pixel_values":
        return
    sizes = callee.sizes
    crop = sizes.number(("crop_size",), Modality.IMAGE) or sizes.image[0]
    for side in dict.fromkeys([crop, sizes.image[0]]):
        patches = side // sizes.patch[0]

        def make(draw: Draw, side: int = side, patches: int = patches) -> dict[str, Any]:
            return {
                pixels: draw.normal(BATCH, 2, sizes.channels, side, side),
                "image_sizes": torch.tensor([[side, side]] * BATCH),
                "image_attention_mask": torch.ones(BATCH, 2, patches, patches, dtype=torch.long),
            }

        yield _image(f"cropped-{side}", make)


def _masked(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Tiles per image with a mask that says which of them are real (Granite Docling)."""
    if not callee.takes("pixel_attention_mask", "tile_fine_mask") or callee.takes("spatial_shapes"):
        return
    sizes = callee.sizes
    yield _image(
        "tiles-masked",
        lambda draw: {
            pixels: draw.normal(BATCH, 2, sizes.channels, *sizes.image),
            "pixel_attention_mask": torch.ones(BATCH, 2, dtype=torch.bool),
        },
    )
