"""The order in which layouts are offered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from modelmuster.recipes.inputs.audio import audio_fragments
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.codes import code_layouts
from modelmuster.recipes.inputs.image import image_fragments
from modelmuster.recipes.inputs.layout import Fragment, Layout
from modelmuster.recipes.inputs.multimodal import fused_layouts
from modelmuster.recipes.inputs.required import complete, encoder_states, offer
from modelmuster.recipes.inputs.session import session_layouts
from modelmuster.recipes.inputs.text import asking, choices, decoder_arguments, ended, has_decoder, text_arguments
from modelmuster.recipes.inputs.time_series import time_series_layouts
from modelmuster.recipes.inputs.towers import tower_layouts
from modelmuster.recipes.inputs.video import video_fragments
from modelmuster.records import Modality

KINDS = (image_fragments, video_fragments, audio_fragments)
CHOICES = 4
"""Arrangements of each modality that are tried with those of the others."""


def composed(callee: Callee) -> Iterator[Layout]:
    """All layouts for a model, the preferred first; a name may come twice."""
    rejected: list[Layout] = []
    yield from session_layouts(callee)
    if callee.takes("input_ids"):
        yield from _for_task(callee)
        yield from fused_layouts(callee, rejected)
        yield from code_layouts(callee)
        if has_decoder(callee):
            # A model that could take a text too may want only one of the two besides its decoder's.
            yield from _alone(callee)
        yield text_layout(callee)
        yield from rejected
    else:
        yield from _together(callee)
        yield from _alone(callee)
    yield from time_series_layouts(callee)
    yield from tower_layouts(callee)
    if not callee.takes("input_ids"):
        yield required_layout(callee)
    if callee.takes("encoder_hidden_states"):
        yield from _beside_encoder(callee)


def text_layout(callee: Callee) -> Layout:
    """Text alone."""

    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = text_arguments(callee, draw)
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    whole = callee.architecture.modalities
    if len(whole) == 1:
        # Ids are the colours of an image where the architecture takes in nothing else.
        return Layout("text", whole, build)
    return offer("text", (Modality.TEXT,), build)


def _for_task(callee: Callee) -> Iterator[Layout]:
    """Texts as the heads of some tasks want them."""
    text = text_layout(callee)
    if "MULTIPLE_CHOICE" in callee.tasks:
        yield replace(text, name="choices", build=lambda: choices(text.build()))
    if "SEQUENCE_CLASSIFICATION" in callee.tasks and has_decoder(callee):
        yield replace(text, name="text-ended", build=lambda: ended(callee, text.build()))
    question = callee.sizes.token(("question_token_id",))
    if question is not None and "PRETRAINING" in callee.tasks:
        yield replace(text, name="text-asking", build=lambda: asking(text.build(), question))


def _alone(callee: Callee) -> Iterator[Layout]:
    """One modality without a text, but with the decoder's ids where there is a decoder."""
    for fragments in KINDS:
        for fragment in fragments(callee):
            yield _single(callee, fragment)


def _together(callee: Callee) -> Iterator[Layout]:
    """Several modalities in one call without a text."""
    kinds = [found for fragments in KINDS if (found := list(itertools.islice(fragments(callee), CHOICES)))]
    for fragments_of_all in itertools.product(*kinds) if len(kinds) > 1 else ():

        def build(chosen: tuple[Fragment, ...] = fragments_of_all) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for fragment in chosen:
                made.update(fragment.arguments(callee.draw(fragment.modality.value)))
            return complete(callee, callee.draw(), made)

        name = "+".join(f"{fragment.modality.value}:{fragment.name}" for fragment in fragments_of_all)
        yield offer(name, tuple(fragment.modality for fragment in fragments_of_all), build)


def _single(callee: Callee, fragment: Fragment) -> Layout:
    def build() -> dict[str, Any]:
        draw = callee.draw()
        made = fragment.arguments(callee.draw(fragment.modality.value))
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    name = f"{fragment.modality.value}:{fragment.name}" + ("+text" if has_decoder(callee) else "")
    kinds = callee.architecture.modalities
    # A model of videos whose forward takes one picture at a time is given frames.
    frames = fragment.modality is Modality.IMAGE and Modality.IMAGE not in kinds and Modality.VIDEO in kinds
    return offer(name, (Modality.VIDEO if frames else fragment.modality,), build)


def _beside_encoder(callee: Callee) -> Iterator[Layout]:
    """The vectors of an encoder beside what a decoder takes, for decoders that do not run without."""
    plain = [*code_layouts(callee), text_layout(callee)] if callee.takes("input_ids") else [required_layout(callee)]
    for layout in plain:

        def build(layout: Layout = layout) -> dict[str, Any]:
            return {**layout.build(), "encoder_hidden_states": encoder_states(callee, callee.draw("encoder"))}

        yield Layout(f"{layout.name}+encoder", (*layout.modalities, Modality.EMBEDDING), build)


def required_layout(callee: Callee) -> Layout:
    """Nothing but what `forward` requires, and the companions."""
    layout = offer("required", (), lambda: complete(callee, callee.draw(), {}))
    # What an architecture of one modality is fed, be it the latents of a codec, stands for that one.
    whole = callee.architecture.modalities
    return (
        layout if layout.modalities else replace(layout, modalities=whole if len(whole) == 1 else (Modality.EMBEDDING,))
    )
