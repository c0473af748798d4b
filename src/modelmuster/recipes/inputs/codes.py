"""Audio codes: token ids of several parallel codebooks, in the shapes that codec language models take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.counting import trial
from modelmuster.recipes.inputs.image import pixel_name
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, TARGET_SEQUENCE, Layout
from modelmuster.recipes.inputs.required import complete
from modelmuster.recipes.inputs.sizes import CODEBOOK_SIZE
from modelmuster.recipes.inputs.text import text_arguments
from modelmuster.records import Modality


def code_layouts(callee: Callee) -> Iterator[Layout]:
    """Layouts of models with codebooks: codes as the ids of a decoder beside a text, or as the ids themselves."""
    books = callee.sizes.number(("num_codebooks", "n_codebooks", "n_codes_total", "num_channels"), Modality.AUDIO)
    # The channels of a decoder are codebooks only where no picture has channels.
    if books is None or books < 2 or not callee.takes("input_ids") or pixel_name(callee):
        return
    if callee.takes("audio_input_ids"):
        return
    if callee.takes("decoder_input_ids"):
        shapes = {
            "codes-last": (BATCH, TARGET_SEQUENCE, books),
            "codes-rows": (BATCH * books, TARGET_SEQUENCE),
        }
        for name, shape in shapes.items():
            yield _layout(callee, f"text+{name}", (Modality.TEXT, Modality.AUDIO), "decoder_input_ids", shape)
        return
    # Rows of code words are what a decoder takes in that takes in nothing else, whatever the catalogue calls that.
    whole = callee.architecture.modalities
    alone = whole if len(whole) == 1 else (Modality.AUDIO,)
    shaped = [
        _layout(callee, "text-and-codes", (Modality.TEXT, Modality.AUDIO), "input_ids", (BATCH, SEQUENCE, books + 1)),
        _layout(callee, "codes-last", (Modality.AUDIO,), "input_ids", (BATCH, SEQUENCE, books)),
        _layout(callee, "codes-rows", alone, "input_ids", (BATCH * books, SEQUENCE)),
        _layout(callee, "codes-short", (Modality.AUDIO,), "input_ids", (BATCH, books)),
    ]
    yield from sorted(shaped, key=lambda layout: _folded(callee, layout, books))


def _folded(callee: Callee, layout: Layout, books: int) -> bool:
    """Whether the model takes the ids as rows of another shape: what comes out is neither a row for each nor for all.

    All codebooks of a sound may be rows of their own, and give one row together.
    """
    arguments = layout.build()
    first = next(iter(trial(callee.module, arguments).outputs.values()), None)
    rows = len(arguments["input_ids"])
    return first is not None and first.dim() > 0 and len(first) not in {rows, rows // books}


def _layout(
    callee: Callee, name: str, modalities: tuple[Modality, ...], argument: str, shape: tuple[int, ...]
) -> Layout:
    def build() -> dict[str, Any]:
        draw = callee.draw()
        high = callee.sizes.number(CODEBOOK_SIZE, Modality.AUDIO) or callee.sizes.vocabulary
        codes = draw.integers(0, min(high, callee.sizes.vocabulary), *shape)
        made: dict[str, Any] = text_arguments(callee, draw) if argument != "input_ids" else {}
        made[argument] = codes
        if argument == "input_ids" and callee.takes("attention_mask") and codes.shape[0] == BATCH:
            made["attention_mask"] = torch.ones(shape[:2], dtype=torch.long)
        return complete(callee, draw, made)

    return Layout(name, modalities, build)
