"""Time series: past values, and what the models of the Informer kind want beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.layout import BATCH, Layout
from modelmuster.recipes.inputs.sizes import value_of
from modelmuster.records import Modality

CONTEXT = 32
"""Past steps where the config does not say."""
HORIZON = 8
"""Future steps where the config does not say."""


def time_series_layouts(callee: Callee) -> Iterator[Layout]:
    """Layouts of models that take `past_values`: with the future, as in training, first, then without."""
    if not callee.takes("past_values"):
        return
    modality = (Modality.TIME_SERIES,)
    if callee.takes("future_time_features"):
        yield Layout("series+future", modality, lambda: _series(callee, future=True))
    yield Layout("series", modality, lambda: _series(callee, future=False))
    yield Layout("series-list", modality, lambda: _listed(callee))


def _series(callee: Callee, *, future: bool) -> dict[str, Any]:
    draw = callee.draw()
    config = callee.config
    context = callee.sizes.number(("context_length",)) or CONTEXT
    horizon = callee.sizes.number(("prediction_length", "horizon_length")) or HORIZON
    lags = value_of(config, "lags_sequence")
    past = context + (max(lags) if isinstance(lags, (list, tuple)) and callee.takes("past_time_features") else 0)
    # Informer and its like have one channel without an axis of its own; `input_size` counts more than one.
    channels = callee.sizes.number(("num_input_channels",)) or callee.sizes.number(("input_size",)) or 1
    axis = (channels,) if callee.sizes.number(("num_input_channels",)) or channels > 1 else ()
    made: dict[str, Any] = {"past_values": draw.normal(BATCH, past, *axis)}
    features = callee.sizes.number(("num_time_features",)) or 0
    if callee.takes("past_time_features"):
        made["past_time_features"] = draw.normal(BATCH, past, features)
    if callee.takes("past_observed_mask"):
        made["past_observed_mask"] = torch.ones(BATCH, past, *axis)
    if callee.takes("past_values_padding"):
        made["past_values_padding"] = torch.zeros(BATCH, past, dtype=torch.long)
        made["freq"] = torch.arange(BATCH)[:, None]
    made.update(_static(callee, draw))
    if future:
        made["future_values"] = draw.normal(BATCH, horizon, *axis)
        made["future_time_features"] = draw.normal(BATCH, horizon, features)
    return {name: made[name] for name in callee.parameters if name in made}


def _static(callee: Callee, draw: Draw) -> dict[str, Any]:
    """Features of a whole series, as many as the config counts."""
    made: dict[str, Any] = {}
    categories = value_of(callee.config, "cardinality")
    count = callee.sizes.number(("num_static_categorical_features",)) or 0
    if count and callee.takes("static_categorical_features") and isinstance(categories, (list, tuple)):
        columns = [draw.integers(0, int(size), BATCH, 1) for size in categories[:count]]
        made["static_categorical_features"] = torch.cat(columns, dim=-1)
    count = callee.sizes.number(("num_static_real_features",)) or 0
    if count and callee.takes("static_real_features"):
        made["static_real_features"] = draw.normal(BATCH, count)
    return made


def _listed(callee: Callee) -> dict[str, Any]:
    """A list of series, one tensor each, with a frequency each (TimesFM)."""
    draw = callee.draw()
    context = callee.sizes.number(("context_length",)) or CONTEXT
    made: dict[str, Any] = {"past_values": [draw.normal(context) for _ in range(BATCH)]}
    if callee.takes("freq"):
        made["freq"] = torch.arange(BATCH)
    return made
