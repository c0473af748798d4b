"""The order in which layouts are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from modelmuster.recipes.inputs.audio import audio_fragments
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.codes import code_layouts
from modelmuster.recipes.inputs.image import image_fragments
from modelmuster.recipes.inputs.layout import Fragment, Layout
from modelmuster.recipes.inputs.multimodal import fused_layouts
from modelmuster.recipes.inputs.required import complete
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
    else:
        yield from _alone(callee)
    yield from time_series_layouts(callee)
    yield from tower_layouts(callee)
    yield required_layout(callee)
    yield from rejected


def text_layout(callee: Callee) -> Layout:
    """Text alone."""

    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = text_arguments(callee, draw)
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    return Layout("text", (Modality.TEXT, *_companions(callee)), build)


def _companions(callee: Callee) -> tuple[Modality, ...]:
    """Modalities of the companions that every layout with a text gets."""
    found = []
    if callee.takes("bbox", "xpath_tags_seq"):
        found.append(Modality.LAYOUT)
    if callee.takes("visual_feats", "visual_embeds"):
        found.append(Modality.IMAGE)
    return tuple(found)


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

    modalities = [fragment.modality]
    name = f"{fragment.modality.value}:{fragment.name}"
    if has_decoder(callee):
        modalities.append(Modality.TEXT)
        name += "+text"
    return Layout(name, tuple(modalities), build)


def required_layout(callee: Callee) -> Layout:
    """Nothing but what `forward` requires."""
    build: Callable[[], dict[str, Any]] = lambda: complete(callee, callee.draw(), {})  # noqa: E731
    return Layout("required", _kinds(callee), build)


TABULAR = frozenset({"states", "actions", "state", "rewards"})


def _kinds(callee: Callee) -> tuple[Modality, ...]:
    if any(name in TABULAR for name in callee.parameters):
        return (Modality.TABULAR,)
    return callee.architecture.modalities or (Modality.EMBEDDING,)
