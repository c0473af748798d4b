"""Parts of multimodal models: towers that take patches as hidden states, and layers that take another's vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, Layout
from modelmuster.recipes.inputs.patches import gridded
from modelmuster.recipes.inputs.required import complete
from modelmuster.records import Modality

EMBEDDINGS = (
    "inputs_embeds",
    "hidden_states",
    "query_embeds",
    "context",
    "latents",
    "image_features",
    "vision_features",
    "patch_embeds",
    "noise_embeds",
    "decoder_queries",
)
"""Arguments that hold the vectors of another model."""


def tower_layouts(callee: Callee) -> Iterator[Layout]:
    """Layouts of models that take neither text, pixels, sound nor series."""
    if callee.takes("hidden_states"):
        for fragment in gridded(callee, "hidden_states"):

            def build(fragment: Any = fragment) -> dict[str, Any]:
                draw = callee.draw()
                return complete(callee, draw, fragment.arguments(draw))

            yield Layout(f"image:{fragment.name}", (Modality.IMAGE,), build)
        yield from _hidden(callee)
    if callee.takes("inputs_embeds"):

        def embedded() -> dict[str, Any]:
            draw = callee.draw()
            return complete(callee, draw, {"inputs_embeds": draw.normal(BATCH, SEQUENCE, callee.sizes.width)})

        yield Layout("embeddings", (Modality.EMBEDDING,), embedded)


def _hidden(callee: Callee) -> Iterator[Layout]:
    """Hidden states in the shapes of sequences, pictures and waveforms."""
    sizes = callee.sizes
    shapes: dict[str, tuple[int, ...]] = {}
    stated = sizes.numbers(("input_size",), Modality.AUDIO)
    for width in dict.fromkeys([sizes.width, *stated, *sizes.entrances(Modality.AUDIO)]):
        shapes[f"hidden-{width}"] = (BATCH, SEQUENCE, width)
        shapes[f"hidden-channels-first-{width}"] = (BATCH, width, SEQUENCE)
    height, width = sizes.image
    shapes[f"hidden-image-{height}x{width}"] = (BATCH, sizes.channels, height, width)
    shapes["hidden-waveform"] = (BATCH, 1, 3200)
    for name, shape in shapes.items():

        def build(shape: tuple[int, ...] = shape) -> dict[str, Any]:
            draw = callee.draw()
            return complete(callee, draw, {"hidden_states": draw.normal(*shape)})

        yield Layout(name, (_meant(callee),), build)


def _meant(callee: Callee) -> Modality:
    """What hidden states stand for: the one kind of data that the architecture takes in, if it is one."""
    kinds = callee.architecture.modalities
    return kinds[0] if len(kinds) == 1 and kinds[0] is not Modality.TEXT else Modality.EMBEDDING
