"""Each placeholder in the text stands for one feature of the image: no more, no fewer."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch

from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import seed_forward
from modelmuster.records import Finding, Modality, Stage

STRATEGY = "vision_feature_select_strategy"

SAME_PATCH = 1e-4
"""Share of the largest feature by which features of the same patch may differ."""

_PLACEHOLDERS = ("image_token_id", "image_token_index")


class ImageTokens(Question):
    """Counts placeholders and features; then takes one placeholder away, which must be refused."""

    name = "image_tokens"
    question = "Are there as many image features as placeholders in the text, and is another number refused?"
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that put image features into their text."""
        if not hasattr(trial.module, "get_image_features") or _placeholder(trial) is None:
            return "puts no image features in the place of tokens"
        if Modality.VIDEO in trial.recipe.modalities:
            return "fed a video too, whose frames may have the same placeholders"
        tokens = trial.inputs.get("input_ids")
        if not isinstance(tokens, np.ndarray) or not (tokens == _placeholder(trial)).any():
            return "fed no text with placeholders for an image"
        return None

    def run(self, trial: Trial) -> Finding:
        """Exact."""
        inputs, figures = trial.inputs, Figures()
        here = inputs["input_ids"] == _placeholder(trial)
        features = _features(trial)
        figures |= {"placeholders": int(here.sum()), "features": features}
        if features is None:
            return not_applicable("get_image_features returns no tensor of features")
        if features != here.sum():
            return failed(f"{features} image features for {int(here.sum())} placeholders", figures)
        if wrong := _wrong_patches(trial, figures):
            return failed(wrong, figures)
        if not hasattr(_base(trial.module), "get_placeholder_mask"):
            return passed(figures)
        fewer = inputs["input_ids"].copy()
        fewer[tuple(np.argwhere(here)[-1])] = int(inputs["input_ids"][~here][0])
        try:
            trial.run({**inputs, "input_ids": fewer})
        except ValueError as refusal:
            figures["refusal"] = str(refusal)[:80]
            return passed(figures)
        return failed("a text with one placeholder too few is answered as if nothing were wrong", figures)


def _placeholder(trial: Trial) -> int | None:
    config = trial.module.config
    return next((found for name in _PLACEHOLDERS if isinstance(found := getattr(config, name, None), int)), None)


def _base(module: Any) -> Any:
    return module if hasattr(module, "get_placeholder_mask") else getattr(module, "model", module)


def _wrong_patches(trial: Trial, figures: Figures) -> str | None:
    """With the patches alone asked for, something else than all features but the first, that of the class token."""
    if STRATEGY not in inspect.signature(trial.module.get_image_features).parameters:
        return None
    if getattr(trial.module.config, STRATEGY, None) != "default":
        return None
    patches = _image_features(trial)
    try:
        whole = _image_features(trial, **{STRATEGY: "full"})
    except RuntimeError as refusal:
        # What makes a map of the features has no place for that of a class token.
        figures["full"] = str(refusal)[:80]
        return None
    pairs = list(zip(_stacked(patches), _stacked(whole), strict=False))
    if not pairs or any(first.shape[-2] != second.shape[-2] - 1 for first, second in pairs):
        return None
    worst = max(float((first - second[..., 1:, :]).abs().max() / second.abs().max()) for first, second in pairs)
    figures["patches.off"] = worst
    if worst > SAME_PATCH:
        return "the features of the patches alone are not all features but that of the class token"
    return None


def _stacked(features: Any) -> list[torch.Tensor]:
    """Features of single images, places × numbers."""
    if isinstance(features, torch.Tensor):
        return [features] if features.dim() in {2, 3} else []
    return [found for member in features for found in _stacked(member)] if isinstance(features, list | tuple) else []


def _features(trial: Trial) -> int | None:
    """Features that the recipe's images give, counted over all of them."""
    grids = np.asarray(trial.inputs.get("image_grid_thw", np.empty((0, 3))))
    return _count(_image_features(trial), {(int(height), int(width)) for _, height, width in grids})


def _image_features(trial: Trial, **settings: Any) -> Any:
    method = trial.module.get_image_features
    given = arguments(trial, trial.inputs)
    # The keyword-only tail of these methods is passed on to towers that take no text.
    named = {name: value for name, value in given.items() if name in inspect.signature(method).parameters}
    named = {name: value for name, value in named.items() if name not in {"input_ids", "attention_mask"}}
    trial.entering(Stage.RUN)
    seed_forward()
    with torch.no_grad():
        returned = method(**named | settings)
    trial.entering(Stage.COMPARE)
    return getattr(returned, "pooler_output", returned)


def _count(features: Any, grids: set[tuple[int, int]]) -> int | None:
    if isinstance(features, torch.Tensor):
        if features.dim() == 3 and (features.shape[-2], features.shape[-1]) in grids:
            # A map, channels first, that code words are chosen for.
            return int(features.shape[-2] * features.shape[-1])
        return features.numel() // features.shape[-1] if features.dim() >= 2 else None
    if isinstance(features, list | tuple):
        counts = [_count(member, grids) for member in features if isinstance(member, torch.Tensor | list | tuple)]
        return sum(count for count in counts if count is not None) if counts and None not in counts else None
    return None
