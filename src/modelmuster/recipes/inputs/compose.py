"""The order in which layouts are offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from modelmuster.recipes.inputs.audio import audio_fragments
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.codes import code_layouts
from modelmuster.recipes.inputs.image import image_fragments
from modelmuster.recipes.inputs.layout import Fragment, Layout
from modelmuster.recipes.inputs.multimodal import fused_layouts
from modelmuster.recipes.inputs.required import complete, offer
from modelmuster.recipes.inputs.text import decoder_arguments, has_decoder, text_arguments
from modelmuster.recipes.inputs.time_series import time_series_layouts
from modelmuster.recipes.inputs.towers import tower_layouts
from modelmuster.recipes.inputs.video import video_fragments
from modelmuster.records import Modality


def composed(callee: Callee) -> Iterator[Layout]:
    """All layouts for a model, the preferred first; a name may come twice."""
    rejected: list[Layout] = []
    if callee.takes("input_ids"):
        yield from fused_layouts(callee, rejected)
        yield from code_layouts(callee)
        if has_decoder(callee):
            # A model that could take a text too may want only one of the two besides its decoder's.
            yield from _alone(callee)
        yield text_layout(callee)
        yield from rejected
    else:
        yield from _alone(callee)
    yield from time_series_layouts(callee)
    yield from tower_layouts(callee)
    if not callee.takes("input_ids"):
        yield required_layout(callee)


def text_layout(callee: Callee) -> Layout:
    """Text alone."""

    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = text_arguments(callee, draw)
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    return offer("text", (Modality.TEXT,), build)


def _alone(callee: Callee) -> Iterator[Layout]:
    """One modality without a text, but with the decoder's ids where there is a decoder."""
    for fragments in (image_fragments, video_fragments, audio_fragments):
        for fragment in fragments(callee):
            yield _single(callee, fragment)


def _single(callee: Callee, fragment: Fragment) -> Layout:
    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = fragment.arguments(callee.draw(fragment.modality.value))
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    name = f"{fragment.modality.value}:{fragment.name}" + ("+text" if has_decoder(callee) else "")
    return offer(name, (fragment.modality,), build)


def required_layout(callee: Callee) -> Layout:
    """Nothing but what `forward` requires, and the companions."""
    layout = offer("required", (), lambda: complete(callee, callee.draw(), {}))
    return layout if layout.modalities else replace(layout, modalities=(Modality.EMBEDDING,))
