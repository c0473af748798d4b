"""Position embeddings that are said to be interpolated take images of another size, and leave their own as it is."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, floats, off, same, size_of
from modelmuster.checks.live import accepts, outputs
from modelmuster.checks.question import Figures, Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Modality

FLAG = "interpolate_pos_encoding"
IMAGE = "pixel_values"

SAME_ROW = 1e-4
"""Share of their size by which embeddings of one row may differ: a filter's weights add up to one but for that."""

MOST_SPECIAL = 2
"""Embeddings before the patches' own: of a class token, and of one for distillation."""

LEAST_PATCHES = 4


class Interpolation(Question):
    """Asks for interpolation at the recipe's own size, then at twice the height, and of a table of rows only."""

    name = "interpolation"
    question = "Are interpolated position embeddings exact at their own size, and do other sizes run with them?"
    modalities = frozenset({Modality.IMAGE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Image models whose forward takes the flag."""
        if not accepts(trial, FLAG):
            return f"forward takes no {FLAG}"
        value = trial.inputs.get(IMAGE)
        if set(trial.recipe.modalities) - {Modality.IMAGE, Modality.TEXT} or value is None or value.ndim != 4:
            return "fed no plain batch of images"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at its own size; finite at another; rows stay rows within 1e-4 of their size."""
        figures, inputs = Figures(), trial.inputs
        plain = outputs(trial, inputs)
        compared = same(trial, plain, outputs(trial, inputs, **{FLAG: True}))
        figures["own_size.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"interpolated to its own size, {off(compared)}", figures)
        taller = {**inputs, IMAGE: np.concatenate([inputs[IMAGE], inputs[IMAGE][:, :, ::-1]], 2)}
        found = floats(outputs(trial, taller, **{FLAG: True}))
        spoiled = [name for name, array in found.items() if not np.isfinite(array).all()]
        figures["outputs"] = len(found)
        if spoiled:
            return failed(f"at twice the height, {spoiled[0]} is not finite", figures)
        wrong = _mixed_axes(trial, figures)
        return failed(wrong, figures) if wrong else passed(figures)


def _mixed_axes(trial: Trial, figures: Figures) -> str | None:
    """A table whose embeddings depend on their row alone must keep to that when it is stretched to twice the height."""
    height, width = trial.inputs[IMAGE].shape[-2:]
    for name, part in trial.module.named_modules():
        table = _table(part)
        if table is None or not _is_asked(part):
            continue
        tokens, size = table.shape[-2:]
        side = math.isqrt(tokens)
        extra = tokens - side * side
        draw = torch.Generator().manual_seed(0)
        by_row = torch.randn(side, 1, size, generator=draw).expand(side, side, size).reshape(side * side, size)
        kept = table.detach().clone()
        try:
            with torch.no_grad():
                table.view(tokens, size)[extra:].copy_(by_row)
                given = torch.zeros(1, 2 * side * side + extra, size).to(table)
                made = part.interpolate_pos_encoding(given, 2 * height, width)
        finally:
            with torch.no_grad():
                table.copy_(kept)
        if not isinstance(made, torch.Tensor) or made.shape[-2] != 2 * side * side + extra:
            continue
        grid = made.reshape(-1, size)[extra:].reshape(2 * side, side, size).double()
        off_row = float((grid - grid.mean(1, keepdim=True)).square().mean().sqrt())
        share = off_row / float(grid.square().mean().sqrt())
        figures[f"{name}.off_row"] = share
        if share > SAME_ROW:
            return f"interpolation by {name} mixes rows and columns: embeddings of a row alone differ along it"
    return None


def _table(part: Any) -> torch.Tensor | None:
    """The part's embeddings of positions, if they fill a square, with or without special places before it."""
    found = getattr(part, "position_embeddings", getattr(part, "position_embedding", None))
    found = getattr(found, "weight", found)
    if not isinstance(found, torch.Tensor) or found.dim() < 2 or found.numel() != found.shape[-1] * found.shape[-2]:
        return None
    tokens = found.shape[-2]
    return found if tokens - math.isqrt(tokens) ** 2 <= MOST_SPECIAL and tokens >= LEAST_PATCHES else None


def _is_asked(part: Any) -> bool:
    method = getattr(part, "interpolate_pos_encoding", None)
    return method is not None and list(inspect.signature(method).parameters) == ["embeddings", "height", "width"]
