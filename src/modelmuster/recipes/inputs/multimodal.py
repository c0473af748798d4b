"""Several modalities in one call: a text with the placeholders that the other modalities fill."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from modelmuster.recipes.inputs.audio import audio_fragments
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.counting import trial
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.image import image_fragments
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, Fragment, Layout
from modelmuster.recipes.inputs.required import complete
from modelmuster.recipes.inputs.sizes import CLOSINGS, OPENINGS, PLACEHOLDERS
from modelmuster.recipes.inputs.text import decoder_arguments, text_arguments, tokens
from modelmuster.recipes.inputs.video import video_fragments
from modelmuster.records import Modality

FRAGMENTS: dict[Modality, Callable[[Callee], Iterator[Fragment]]] = {
    Modality.IMAGE: image_fragments,
    Modality.VIDEO: video_fragments,
    Modality.AUDIO: audio_fragments,
}
"""Modalities that can stand beside a text, in the order of the inputs of a fused call."""

KINDS = {Modality.IMAGE: 1, Modality.VIDEO: 2, Modality.AUDIO: 3}
"""Values of `mm_token_type_ids`; text is 0."""

CHOICES = 3
"""Arrangements of each modality to combine with those of the others, of the ones that the model accepts."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A fragment with the placeholders that it needs in each row of the text; none where `placeholder` is None."""

    fragment: Fragment
    placeholder: int | None = None
    counts: tuple[int, ...] = (0,) * BATCH
    opening: int | None = None
    closing: int | None = None


class Pieces:
    """The arrangements of one modality that the model accepts: tried as they are asked for, and remembered."""

    def __init__(self, found: Iterator[Piece]) -> None:
        self._found = found
        self._known: list[Piece] = []

    def at(self, index: int) -> Piece | None:
        """The piece at this place in the order of preference; None past the end."""
        while len(self._known) <= index:
            piece = next(self._found, None)
            if piece is None:
                return None
            self._known.append(piece)
        return self._known[index]


def fused_layouts(callee: Callee) -> Iterator[Layout]:
    """Layouts that feed a text and other modalities in one call: as many of them at once as possible first."""
    pieces = {}
    for modality, fragments in FRAGMENTS.items():
        if next(fragments(callee), None) is not None:
            pieces[modality] = Pieces(_accepted(callee, modality))
    for size in range(len(pieces), 0, -1):
        for modalities in itertools.combinations(pieces, size):
            yield from _combined(callee, [pieces[modality] for modality in modalities])
    if len(pieces) == 1:
        (modality,) = pieces
        accepted = {piece.fragment.name for piece in _known(pieces[modality])}
        for fragment in FRAGMENTS[modality](callee):
            if fragment.name not in accepted:
                yield _layout(callee, [Piece(fragment)])


def _known(pieces: Pieces) -> Iterator[Piece]:
    for index in itertools.count():
        piece = pieces.at(index)
        if piece is None:
            return
        yield piece


def _accepted(callee: Callee, modality: Modality) -> Iterator[Piece]:
    """Try every arrangement alone with a text; keep those that a tower or the whole model accepts."""
    sizes = callee.sizes
    placeholder = sizes.token(PLACEHOLDERS[modality])
    opening, closing = sizes.token(OPENINGS[modality]), sizes.token(CLOSINGS[modality])
    for fragment in FRAGMENTS[modality](callee):
        probe = Piece(fragment, placeholder, (int(placeholder is not None),) * BATCH, opening, closing)
        heard = trial(callee.module, _layout(callee, [probe]).build())
        counts = heard.per_row(modality)
        if placeholder is not None and counts is not None:
            yield Piece(fragment, placeholder, counts, opening, closing)
        elif heard.error is None:
            yield probe if placeholder is not None else Piece(fragment)


def _combined(callee: Callee, choices: list[Pieces]) -> Iterator[Layout]:
    """Every combination of one piece per modality, those of the most preferred pieces first."""
    width = CHOICES if len(choices) > 1 else 1 << 16
    for rank in range(len(choices) * (width - 1) + 1):
        met = False
        for places in itertools.product(range(min(width, rank + 1)), repeat=len(choices)):
            if sum(places) != rank:
                continue
            pieces = [choice.at(place) for choice, place in zip(choices, places, strict=True)]
            present = [piece for piece in pieces if piece is not None]
            if len(present) == len(choices):
                met = True
                yield _layout(callee, present)
        if not met:
            return


def _layout(callee: Callee, pieces: list[Piece]) -> Layout:
    def build() -> dict[str, Any]:
        draw = callee.draw()
        made: dict[str, Any] = {}
        for piece in pieces:
            made.update(piece.fragment.arguments(draw))
        ids = interleaved(callee, draw, pieces)
        made.update(text_arguments(callee, draw, ids))
        made.update(_kinds(callee, ids, pieces))
        made.update(decoder_arguments(callee, draw))
        return complete(callee, draw, made)

    name = "+".join(["text", *(f"{piece.fragment.modality.value}:{piece.fragment.name}" for piece in pieces)])
    return Layout(name, (Modality.TEXT, *(piece.fragment.modality for piece in pieces)), build)


def interleaved(callee: Callee, draw: Draw, pieces: list[Piece]) -> torch.Tensor:
    """Token ids [batch, sequence]: the text with each piece's placeholders between two stretches of it.

    Raises:
        ValueError: the rows come out with different lengths.
    """
    placed = [piece for piece in pieces if piece.placeholder is not None]
    words = tokens(callee, draw, BATCH, SEQUENCE)
    stretch = SEQUENCE // (len(placed) + 1)
    rows = []
    for row in range(BATCH):
        ids: list[int] = []
        text = words[row].tolist()
        for index, piece in enumerate(placed):
            ids += text[index * stretch : (index + 1) * stretch]
            ids += [] if piece.opening is None else [piece.opening]
            ids += [piece.placeholder] * piece.counts[row]  # type: ignore[list-item]
            ids += [] if piece.closing is None else [piece.closing]
        rows.append(ids + text[len(placed) * stretch :])
    if len({len(ids) for ids in rows}) > 1:
        raise ValueError("the rows need different numbers of placeholders")
    return torch.tensor(rows)


def _kinds(callee: Callee, ids: torch.Tensor, pieces: list[Piece]) -> dict[str, Any]:
    """Which modality each token stands for, under the names that models give to this."""
    placed = [piece for piece in pieces if piece.placeholder is not None]
    kinds = torch.zeros_like(ids)
    for piece in placed:
        kinds[ids == piece.placeholder] = KINDS[piece.fragment.modality]
    made: dict[str, Any] = {}
    for name in ("mm_token_type_ids", "moe_mm_token_type_ids"):
        if callee.takes(name):
            made[name] = kinds
    # Where tokens have no segments, token types tell image tokens, which see each other, from text.
    if placed and callee.takes("token_type_ids") and callee.sizes.number(("type_vocab_size",)) is None:
        made["token_type_ids"] = (kinds == KINDS[Modality.IMAGE]).long()
    return made
