"""The order in which layouts are offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelmuster.recipes.inputs.audio import audio_fragments
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.image import image_fragments
from modelmuster.recipes.inputs.layout import Fragment, Layout
from modelmuster.recipes.inputs.multimodal import fused_layouts
from modelmuster.recipes.inputs.required import complete
from modelmuster.recipes.inputs.text import decoder_arguments, text_arguments
from modelmuster.recipes.inputs.video import video_fragments
from modelmuster.records import Modality


def composed(callee: Callee, override: Mapping[str, Any] | None) -> Iterator[Layout]:
    """All layouts for a model, the preferred first; a name may come twice."""
    if callee.takes("input_ids"):
        yield from fused_layouts(callee)
        yield text_layout(callee)
    else:
        for fragments in (image_fragments, video_fragments, audio_fragments):
            for fragment in fragments(callee):
                yield alone(callee, fragment)
    yield Layout("required", modalities_of(callee), lambda: complete(callee, callee.draw(), {}))


def text_layout(callee: Callee) -> Layout:
    """Text alone."""

    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = text_arguments(callee, draw)
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    return Layout("text", (Modality.TEXT,), build)


def alone(callee: Callee, fragment: Fragment) -> Layout:
    """One modality without a text."""

    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = fragment.arguments(draw)
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    return Layout(f"{fragment.modality.value}:{fragment.name}", (fragment.modality,), build)


def modalities_of(callee: Callee) -> tuple[Modality, ...]:
    """Placeholder until layouts of other modalities are composed."""
    return callee.architecture.modalities
