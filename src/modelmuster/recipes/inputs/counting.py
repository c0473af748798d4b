"""How many vectors a modality turns into: found by listening in on the model's own towers during a trial run.

A formula per architecture would have to know pooling, merging and special tokens. Instead the model is called with the
arguments and a text that holds one placeholder per row. The towers run before the placeholders are compared with what
the towers returned, so it does not matter that this comparison fails.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from modelmuster.numerics.tensors import named_tensors
from modelmuster.recipes.inputs.layout import BATCH
from modelmuster.records import Modality

TOWERS = {
    Modality.IMAGE: "get_image_features",
    Modality.VIDEO: "get_video_features",
    Modality.AUDIO: "get_audio_features",
}
"""Methods by which multimodal models of transformers turn a modality into vectors for the text."""

COMPARISONS = ("get_placeholder_mask", "get_audio_placeholder_mask", "_merge_input_ids_with_audio_features")
COMPARED = {
    "image_features": Modality.IMAGE,
    "video_features": Modality.VIDEO,
    "audio_features": Modality.AUDIO,
}
"""Parameters of the methods that compare placeholders with vectors."""

TOLD = re.compile(r"value tensor of shape \[(\d+)|Got (\d+) image patches|tokens: \d+, features:? (\d+)")
"""How models and torch say how many vectors they had for the placeholders."""
CODED = re.compile(r"does not match number of image tokens from VQVAE \((\d+)\)")
"""The same of models that turn an image into ids, so that what their towers return are no vectors."""


@dataclass(slots=True)
class Heard:
    """What a trial run showed.

    Attributes:
        returned: vectors that a tower returned, one entry per item of a list, one in all for a tensor.
        compared: vectors that the model held against its placeholders.
        told: vectors that the error message counts, for models whose towers have no method of their own.
        error: why the run ended early; None where it went through.
        outputs: the tensors that `forward` returned, by name; empty where the run ended early.
    """

    returned: dict[Modality, list[int]] = field(default_factory=dict)
    compared: dict[Modality, int] = field(default_factory=dict)
    told: int | None = None
    error: str | None = None
    outputs: dict[str, torch.Tensor] = field(default_factory=dict)

    def per_row(self, modality: Modality) -> tuple[int, ...] | None:
        """Placeholders that each row of the batch needs.

        None where no tower was heard, or where the vectors do not divide over the rows.
        """
        returned = self.returned.get(modality)
        total = self.compared.get(modality, sum(returned) if returned else self.told)
        if not total:
            return None
        if returned and sum(returned) == total and len(returned) % BATCH == 0:
            share = len(returned) // BATCH
            return tuple(sum(returned[row * share : (row + 1) * share]) for row in range(BATCH))
        return (total // BATCH,) * BATCH if total % BATCH == 0 else None


def count_vectors(features: Any) -> list[int]:
    """Number of vectors in what a tower returned.

    Towers return a tensor [items, vectors, width] or [vectors, width], a list of such tensors by item, or an output
    object that holds either as `pooler_output` or `last_hidden_state`. Anything else holds no vectors.
    """
    for name in ("pooler_output", "last_hidden_state"):
        held = getattr(features, name, None)
        if held is not None:
            features = held
            break
    if isinstance(features, torch.Tensor):
        return [features.numel() // features.shape[-1]] if features.dim() > 1 else []
    if isinstance(features, (list, tuple)):
        return [sum(count_vectors(each)) for each in features]
    return []


def trial(module: torch.nn.Module, arguments: Mapping[str, Any]) -> Heard:
    """Run the model once and listen to its towers; neither the model nor the random state is changed."""
    heard = Heard()
    scattered = _Scattered()
    with _listening(module, heard), torch.random.fork_rng(devices=[]), torch.no_grad(), scattered:
        try:
            heard.outputs = dict(named_tensors(module(**arguments)))
        except Exception as error:  # noqa: BLE001 - modelling code may raise anything; what was heard before it counts
            heard.error = f"{type(error).__name__}: {error}"
            if coded := CODED.search(heard.error):
                heard.returned.clear()
                heard.told = int(coded[1])
                return heard
            told = TOLD.search(heard.error)
            heard.told = int(next(filter(None, told.groups()))) if told else None
    if heard.error is None and not heard.returned and not heard.compared:
        heard.told = scattered.vectors
    return heard


class _Scattered(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Notes the vectors that were to be scattered over fewer places: torch leaves the rest out without a word."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors: int | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "") in {"masked_scatter", "masked_scatter_"} and len(args) == 3:
            into, mask, source = args
            if source.dim() > 1 and source.numel() > int(mask.expand_as(into).sum()):
                self.vectors = source.numel() // source.shape[-1]
        return func(*args, **dict(kwargs or {}))


@contextmanager
def _listening(module: torch.nn.Module, heard: Heard) -> Iterator[None]:
    """Put a listener before the towers and the comparisons of every part of the model, and take it away again."""
    placed: list[tuple[torch.nn.Module, str]] = []

    def place(part: torch.nn.Module, name: str, listener: Callable[..., Any]) -> None:
        vars(part)[name] = listener
        placed.append((part, name))

    for part in module.modules():
        for modality, name in TOWERS.items():
            if callable(getattr(type(part), name, None)):
                place(part, name, _tower_listener(getattr(part, name), modality, heard))
        for name in COMPARISONS:
            if callable(getattr(type(part), name, None)):
                place(part, name, _comparison_listener(getattr(part, name), heard))
    try:
        yield
    finally:
        for part, name in placed:
            del vars(part)[name]


def _tower_listener(tower: Callable[..., Any], modality: Modality, heard: Heard) -> Callable[..., Any]:
    @functools.wraps(tower)
    def listen(*args: Any, **kwargs: Any) -> Any:
        features = tower(*args, **kwargs)
        heard.returned[modality] = count_vectors(features)
        return features

    return listen


def _comparison_listener(compare: Callable[..., Any], heard: Heard) -> Callable[..., Any]:
    @functools.wraps(compare)
    def listen(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(compare).bind(*args, **kwargs).arguments
        for name, modality in COMPARED.items():
            features = given.get(name)
            if isinstance(features, torch.Tensor) and features.dim() > 1:
                heard.compared[modality] = features.numel() // features.shape[-1]
        return compare(*args, **kwargs)

    return listen
