"""What a layout is: one arrangement of the arguments of `forward`, and the sizes that all arrangements share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmuster.recipes.inputs.draw import Draw
    from modelmuster.records import Modality

BATCH = 2
"""Rows of a batch: enough to see that a model keeps its rows apart."""

SEQUENCE = 12
"""Tokens of a text: longer than the sliding windows of 8 that tiny models have."""

TARGET_SEQUENCE = 7
"""Tokens given to a decoder that has an encoder of its own; differs from `SEQUENCE`, so that a mix-up shows."""

CHOICES = 3
"""Answers to choose from, each a text of its own."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to call a model.

    Attributes:
        name: unique among the layouts of one model, and stable, so that it can be remembered.
        modalities: every modality that reaches the model, all in the same call.
        build: makes the keyword arguments of `forward`, the same ones each time: tensors, numbers, or lists of
            tensors.
    """

    name: str
    modalities: tuple[Modality, ...]
    build: Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Fragment:
    """The arguments of one modality in one of the arrangements that models use; a part of a layout.

    Attributes:
        name: unique among the fragments of one modality.
        modality: what it feeds.
        arguments: makes the arguments of `forward`.
        places: places that it needs in each row of a text, where that is plain; else they are counted.
    """

    name: str
    modality: Modality
    arguments: Callable[[Draw], dict[str, Any]]
    places: int | None = None


def normal(argument: str, shape: tuple[int, ...]) -> Callable[[Draw], dict[str, Any]]:
    """Makes one argument of standard normal values."""
    return lambda draw: {argument: draw.normal(*shape)}
