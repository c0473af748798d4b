"""Several modalities in one call: a text with the placeholders that the other modalities fill.

Every layout that feeds more than text is tried before it is offered: it must run, and each modality must change what
comes out. The others are offered last, after text alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from modelmuster.recipes.inputs.audio import audio_fragments
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.counting import Heard, trial
from modelmuster.recipes.inputs.image import image_fragments
from modelmuster.recipes.inputs.layout import BATCH, Fragment, Layout
from modelmuster.recipes.inputs.placeholders import Piece, interleaved, kinds_of
from modelmuster.recipes.inputs.required import complete, offer
from modelmuster.recipes.inputs.sizes import CLOSINGS, OPENINGS, PLACEHOLDERS
from modelmuster.recipes.inputs.text import decoder_arguments, text_arguments
from modelmuster.recipes.inputs.video import video_fragments
from modelmuster.records import Modality

FRAGMENTS: dict[Modality, Callable[[Callee], Iterator[Fragment]]] = {
    Modality.IMAGE: image_fragments,
    Modality.VIDEO: video_fragments,
    Modality.AUDIO: audio_fragments,
}
"""Modalities that can stand beside a text, in the order in which a fused text names them."""

CHOICES = 3
"""Arrangements of each modality to combine with those of the others, of the ones that the model accepts."""

MOST_UNHEEDED = 12
"""Pieces that may fail to change anything before a modality is given up: the model does not heed it at all."""


class Pieces:
    """The arrangements of one modality that the model accepts: tried as they are asked for, and remembered."""

    def __init__(self, callee: Callee, modality: Modality, only: str | None = None) -> None:
        self._found = _accepted(callee, modality, only)
        self._known: list[Piece] = []

    def at(self, index: int) -> Piece | None:
        """The piece at this place in the order of preference; None past the end."""
        while len(self._known) <= index:
            piece = next(self._found, None)
            if piece is None:
                return None
            self._known.append(piece)
        return self._known[index]


def fused_layouts(callee: Callee, rejected: list[Layout]) -> Iterator[Layout]:
    """Layouts that feed a text and other modalities in one call, as many of them at once as possible first.

    Args:
        callee: the model.
        rejected: receives the layouts that do not run, and those that run without heeding a modality, which they then
            do not name among theirs.
    """
    pieces = {
        modality: Pieces(callee, modality)
        for modality, fragments in FRAGMENTS.items()
        if next(fragments(callee), None) is not None
    }
    for size in range(len(pieces), 0, -1):
        for modalities in itertools.combinations(pieces, size):
            if size > 1 and not callee.apart.isdisjoint(modalities):
                continue
            for combination in _combinations([pieces[modality] for modality in modalities]):
                heeded = _heeded(callee, combination)
                layout = _layout(callee, combination, heeded)
                if len(heeded) == len(combination):
                    yield layout
                else:
                    rejected.append(layout)
    for modality, tried in pieces.items():
        if tried.at(0) is None:
            refused = itertools.islice(FRAGMENTS[modality](callee), CHOICES)
            rejected += [_layout(callee, [Piece(fragment)], [Piece(fragment)]) for fragment in refused]


def fused_layout(callee: Callee, name: str) -> Layout | None:
    """The fused layout of that name, counted but not tried again; None where no layout can have that name."""
    parts = name.removeprefix("text+").split("+")
    found = []
    for part in parts:
        kind, _, fragment = part.partition(":")
        if not fragment or kind not in set(Modality):
            return None
        found.append(_remembered(callee, Modality(kind), fragment))
    pieces = [piece for piece in found if piece is not None]
    return _layout(callee, pieces, pieces) if len(pieces) == len(parts) else None


def _remembered(callee: Callee, modality: Modality, name: str) -> Piece | None:
    # Clips may come as what the model calls pixel values: look among the images too.
    for source in (modality, Modality.IMAGE):
        piece = Pieces(callee, source, only=name).at(0)
        if piece is not None and piece.fragment.modality is modality:
            return piece
    return None


def _accepted(callee: Callee, modality: Modality, only: str | None) -> Iterator[Piece]:
    """Try every arrangement alone with a text; yield those that work and change the output, then those that may work.

    The second kind is what a tower accepted although the whole model did not, or did not heed.
    """
    late: list[Piece] = []
    for fragment in FRAGMENTS[modality](callee):
        if only is not None and fragment.name != only:
            continue
        if len(late) > MOST_UNHEEDED:
            break
        for piece in _counted(callee, fragment):
            if _heeded(callee, [piece]):
                yield piece
                break
            late.append(piece)
    yield from late


def _counted(callee: Callee, fragment: Fragment) -> Iterator[Piece]:
    """The fragment with its placeholders, if the model or one of its towers accepts it.

    What a model calls pixel values may be clips: the tower that runs says what they are. And some models mark clips
    with the placeholder of images.
    """
    sizes = callee.sizes
    if fragment.places is not None:
        yield _piece(callee, fragment, fragment.modality, (fragment.places,) * BATCH)
        return
    fixed = _fixed_count(callee, fragment.modality)
    if fixed is not None:
        yield Piece(fragment, sizes.plain(sizes.vocabulary)[0], (fixed,) * BATCH)
        return
    probe = _piece(callee, fragment, fragment.modality, (1,) * BATCH)
    heard = trial(callee.module, _arguments(callee, [probe]))
    if heard.returned and fragment.modality not in {*heard.returned, *heard.compared}:
        fragment = replace(fragment, modality=next(iter(heard.returned)))
    counts = heard.per_row(fragment.modality)
    if counts is None:
        if heard.error is None:
            yield probe
        return
    for marked_as in dict.fromkeys((fragment.modality, Modality.IMAGE)):
        if fragment.modality is Modality.AUDIO and marked_as is Modality.IMAGE:
            continue
        piece = _piece(callee, fragment, marked_as, counts)
        if piece.placeholder is not None:
            yield piece
    if heard.error is None:
        yield Piece(fragment)


def _piece(callee: Callee, fragment: Fragment, marked_as: Modality, counts: tuple[int, ...]) -> Piece:
    token = callee.sizes.token
    opening, closing = token(OPENINGS[fragment.modality]), token(CLOSINGS[fragment.modality])
    return Piece(fragment, token(PLACEHOLDERS[marked_as]), counts, opening, closing)


def _fixed_count(callee: Callee, modality: Modality) -> int | None:
    """Vectors per image where the text marks their places by a mask, not by a token of their own (Kosmos-2)."""
    if modality is not Modality.IMAGE or not callee.takes("image_embeds_position_mask"):
        return None
    return callee.sizes.number(("latent_query_num",))


def _combinations(choices: list[Pieces]) -> Iterator[list[Piece]]:
    """Every combination of one piece per modality, those of the most preferred pieces first."""
    if len(choices) == 1:
        for place in itertools.count():
            piece = choices[0].at(place)
            if piece is None:
                return
            yield [piece]
    places = sorted(itertools.product(range(CHOICES), repeat=len(choices)), key=sum)
    for row in places:
        found = [choice.at(place) for choice, place in zip(choices, row, strict=True)]
        pieces = [piece for piece in found if piece is not None]
        if len(pieces) == len(choices):
            yield pieces


def _arguments(callee: Callee, pieces: list[Piece], anew: Piece | None = None) -> dict[str, Any]:
    """Arguments of `forward`; the values of the piece `anew`, if any, are drawn from another source."""
    made: dict[str, Any] = {}
    for piece in pieces:
        stream = piece.fragment.modality.value + ("/anew" if piece is anew else "")
        made.update(piece.fragment.arguments(callee.draw(stream)))
    draw = callee.draw()
    ids = interleaved(callee, draw, pieces)
    made.update(text_arguments(callee, draw, ids))
    made.update(kinds_of(callee, ids, pieces))
    made.update(decoder_arguments(callee, draw))
    return complete(callee, draw, made)


def _layout(callee: Callee, pieces: list[Piece], heeded: list[Piece]) -> Layout:
    name = "+".join(["text", *(f"{piece.fragment.modality.value}:{piece.fragment.name}" for piece in pieces)])
    modalities = (Modality.TEXT, *(piece.fragment.modality for piece in heeded))
    try:
        return offer(name, modalities, lambda: _arguments(callee, pieces))
    except ValueError:  # rows of different lengths: the reason is given when it is built
        return Layout(name, modalities, lambda: _arguments(callee, pieces))


def _heeded(callee: Callee, pieces: list[Piece]) -> list[Piece]:
    """The pieces that change what comes out; none where the model does not run."""
    try:
        usual = trial(callee.module, _arguments(callee, pieces))
    except ValueError:  # rows of different lengths
        return []
    if usual.error is not None:
        return []
    return [piece for piece in pieces if _differ(usual, trial(callee.module, _arguments(callee, pieces, anew=piece)))]


def _differ(first: Heard, second: Heard) -> bool:
    if first.outputs.keys() != second.outputs.keys():
        return True
    return any(not torch.equal(first.outputs[name], second.outputs[name]) for name in first.outputs)
