"""Where a word stands on the page: each of the four coordinates of its box must matter."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Trial
from modelmuster.records import Finding, Modality

BOXES = "bbox"
COORDINATES = ("left", "top", "right", "bottom")


class LayoutBoxes(Question):
    """Moves one edge of every box outwards."""

    name = "layout_boxes"
    question = "Does each edge of the boxes of a layout influence the answers?"
    modalities = frozenset({Modality.LAYOUT})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed boxes of four coordinates."""
        boxes = trial.inputs.get(BOXES)
        if not isinstance(boxes, np.ndarray) or boxes.shape[-1] != len(COORDINATES):
            return "fed no boxes of four coordinates"
        return None

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule for each edge."""
        figures, boxes = Figures(), trial.inputs[BOXES]
        for axis, edge in enumerate(COORDINATES):
            moved = boxes.copy()
            # Left and top towards zero, right and bottom towards the largest value that the recipe uses.
            moved[..., axis] = moved[..., axis] // 2 if axis < 2 else (moved[..., axis] + boxes.max() + 1) // 2
            if np.array_equal(moved, boxes):
                continue
            change, most = influence(trial.baseline(), trial.run({**trial.inputs, BOXES: moved}), trial.dtype)
            figures[f"{edge}.influence"] = change
            if change <= noise_floor(trial.dtype):
                return failed(f"moving the {edge} edge of every box changes {most} by {change:.1e} only", figures)
        return passed(figures)
