"""What a session is opened with, for models that are asked through one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, SEQUENCE, Layout
from modelmuster.recipes.inputs.text import tokens
from modelmuster.recipes.sessions import LABELS, MASK, POINTS, SESSION, TEXT, VIDEO, asks_for_texts
from modelmuster.records import Modality

FRAMES = 3
"""The objects are shown in the first and found again in the others; not as many as objects, for frames are no rows."""


def session_layouts(callee: Callee) -> Iterator[Layout]:
    """A short video: with two descriptions, or a point on each of two objects, which take the place of rows."""
    if not callee.takes(SESSION):
        return
    height, width = callee.sizes.image

    def video(draw: Draw, frames: int) -> dict[str, Any]:
        return {VIDEO: draw.normal(frames, callee.sizes.channels, height, width)}

    def by_text() -> dict[str, Any]:
        draw = callee.draw()
        return video(draw, FRAMES - 1) | {
            TEXT: tokens(callee, draw, BATCH, SEQUENCE),
            MASK: torch.ones(BATCH, SEQUENCE, dtype=torch.long),
        }

    def by_point() -> dict[str, Any]:
        draw = callee.draw()
        return video(draw, FRAMES) | {
            POINTS: draw.uniform(BATCH, 1, 1, 2) * min(height, width),
            LABELS: torch.ones(BATCH, 1, 1, dtype=torch.long),
        }

    if asks_for_texts(callee.module):
        yield Layout("session-by-text", (Modality.TEXT, Modality.VIDEO), by_text)
    else:
        yield Layout("session-by-point", (Modality.VIDEO, Modality.TABULAR), by_point)
