"""Inputs for a model: `layouts` yields ways to call it, the fullest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.compose import composed
from modelmuster.recipes.inputs.declared import declared_layout
from modelmuster.recipes.inputs.layout import Layout
from modelmuster.recipes.inputs.multimodal import fused_layout
from modelmuster.records import Architecture, Modality

__all__ = ["Layout", "layouts"]


def layouts(
    module: torch.nn.Module,
    architecture: Architecture,
    seed: int,
    override: Mapping[str, Any] | None = None,
    only: str | None = None,
    *,
    apart: Collection[Modality] = (),
) -> Iterator[Layout]:
    """Yield ways to call a model in order of preference; the first that its `forward` accepts is the one to use.

    What `forward` takes decides, together with the sizes in the config. For a model of several modalities, layouts
    that feed all of them in one call come first, and layouts that leave some out come last and say so in
    `modalities`. Names are unique per model and stable. Making the iterator advance may run the model without
    gradients, to count the vectors that its towers return; the model and the random state stay as they were.

    Args:
        module: the model, in eval mode.
        architecture: what it is an instance of.
        seed: determines every value.
        override: the `inputs` table of the type's override, see `declared`; it comes before all others.
        only: the name of the one layout that is wanted: it is made without trying the others.
        apart: modalities that the model refuses in one call with any but a text; no combination of them is tried.
    """
    callee = Callee(module, architecture, seed, apart)
    if override:
        declared = declared_layout(callee, override)
        if only in {None, declared.name}:
            yield declared
    if only is not None:
        known = fused_layout(callee, only) if callee.takes("input_ids") else None
        if known is not None:
            yield known
            return
    seen: set[str] = set()
    for layout in composed(callee):
        if layout.name not in seen and only in {None, layout.name}:
            seen.add(layout.name)
            yield layout
