"""Images: every arrangement of pixels that vision towers take, as fragments in order of preference."""

from __future__ import annotations

from collections.abc import Iterator

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.layout import BATCH, Fragment, normal
from modelmuster.recipes.inputs.patches import SIDE, patch_fragments
from modelmuster.recipes.inputs.tiles import tile_fragments
from modelmuster.records import Family, Modality

PIXELS = ("pixel_values", "image_pixel_values", "image", "image_patches", "flattened_patches")
"""Arguments of `forward` that hold the pixels of images."""
LISTED_LAST = frozenset({"flat-patches", "listed-patches"})
"""Arrangements that carry nothing beside the pixels to recognise them by, and are rarer than whole images."""


def pixel_name(callee: Callee) -> str | None:
    """The argument of `forward` that holds the pixels of images."""
    return callee.first(*PIXELS)


def image_fragments(callee: Callee) -> Iterator[Fragment]:
    """Every arrangement of images that fits the arguments of `forward`, the most specific first."""
    pixels = pixel_name(callee)
    if pixels is None:
        return
    patches = list(patch_fragments(callee, pixels))
    late = pixels in {"pixel_values", "image_pixel_values", "image"}
    yield from (each for each in patches if not (late and each.name in LISTED_LAST))
    yield from tile_fragments(callee, pixels)
    yield from _whole(callee, pixels)
    yield from (each for each in patches if late and each.name in LISTED_LAST)


def _whole(callee: Callee, pixels: str) -> Iterator[Fragment]:
    """Whole images, pairs of images, or clips, without anything beside them."""
    sizes = callee.sizes
    channels = sizes.channels
    stated = sizes.image
    wide = (stated[0], 4 * stated[1])
    for index, (height, width) in enumerate(dict.fromkeys([stated, (64, 64), (32, 32), (128, 128), wide, (224, 224)])):
        extent = f"{height}x{width}"
        single = {f"nchw-{extent}": (BATCH, channels, height, width)}
        if callee.takes("prompt_pixel_values"):
            # The prompt fills the other half.
            single = {f"half-{extent}": (BATCH, channels, height // 2, width)}
        if index > 1:
            several = {}
        else:
            several = {
                f"pair-{extent}": (BATCH, 2, channels, height, width),
                f"one-image-{extent}": (BATCH, 1, channels, height, width),
                f"clip-{extent}": (BATCH, sizes.frames, channels, height, width),
                f"clip-channels-first-{extent}": (BATCH, channels, sizes.frames, height, width),
                "patch-clips": (BATCH * SIDE, sizes.temporal_patch, *sizes.patch, channels),
            }
        shapes = {**several, **single} if _several_first(callee) else {**single, **several}
        order = sorted(shapes, key=lambda name: not (_clips(callee) and name.startswith("clip")))
        for name in order:
            modality = Modality.VIDEO if name.startswith("clip") and _clips(callee) else Modality.IMAGE
            yield Fragment(name, modality, normal(pixels, shapes[name]))


def _several_first(callee: Callee) -> bool:
    """Whether rows hold lists of images: the mask over pixels then has a place for each image."""
    return callee.takes("pixel_attention_mask", "image_attention_mask")


def _clips(callee: Callee) -> bool:
    """Whether what is called pixel values are really clips."""
    architecture = callee.architecture
    moving = architecture.family is Family.VIDEO or Modality.VIDEO in architecture.modalities
    return moving and not callee.takes("pixel_values_videos")
