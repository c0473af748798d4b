"""Texts with places for the vectors of other modalities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, Fragment
from modelmuster.recipes.inputs.text import tokens
from modelmuster.records import Modality

KINDS = {Modality.IMAGE: 1, Modality.VIDEO: 2, Modality.AUDIO: 3}
"""Values of `mm_token_type_ids`; text is 0."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A fragment with the places that it needs in each row of the text.

    Attributes:
        fragment: the arguments of the modality.
        placeholder: the token that marks a place; None where the modality needs none.
        counts: places in each row.
        opening: the token before the places, if the model has one.
        closing: the token after them.
    """

    fragment: Fragment
    placeholder: int | None = None
    counts: tuple[int, ...] = (0,) * BATCH
    opening: int | None = None
    closing: int | None = None


def interleaved(callee: Callee, draw: Draw, pieces: list[Piece]) -> torch.Tensor:
    """Token ids [batch, sequence]: the text, cut into stretches, with the places of each piece between two of them.

    Raises:
        ValueError: the rows come out with different lengths.
    """
    placed = [piece for piece in pieces if piece.placeholder is not None]
    words = tokens(callee, draw, BATCH, SEQUENCE)
    stretch = SEQUENCE // (len(placed) + 1)
    rows = []
    for row in range(BATCH):
        text = words[row].tolist()
        ids: list[int] = []
        for index, piece in enumerate(placed):
            marks = [piece.opening, *[piece.placeholder] * piece.counts[row], piece.closing]
            ids += text[index * stretch : (index + 1) * stretch]
            ids += [mark for mark in marks if mark is not None]
        rows.append(ids + text[len(placed) * stretch :])
    if len({len(ids) for ids in rows}) > 1:
        raise ValueError("the rows need different numbers of placeholders")
    return torch.tensor(rows)


def kinds_of(callee: Callee, ids: torch.Tensor, pieces: list[Piece]) -> dict[str, Any]:
    """Which modality each token stands for, under the names that models give to this."""
    placed = [piece for piece in pieces if piece.placeholder is not None]
    kinds = torch.zeros_like(ids)
    for piece in placed:
        kinds[ids == piece.placeholder] = KINDS[piece.fragment.modality]
    made: dict[str, Any] = {
        name: kinds for name in ("mm_token_type_ids", "moe_mm_token_type_ids") if callee.takes(name)
    }
    images = kinds == KINDS[Modality.IMAGE]
    if callee.takes("image_embeds_position_mask"):
        made["image_embeds_position_mask"] = images.long()
    # Where tokens have no segments, token types tell image tokens, which see each other, from text.
    if placed and callee.takes("token_type_ids") and callee.sizes.number(("type_vocab_size",)) is None:
        made["token_type_ids"] = images.long()
    return made
