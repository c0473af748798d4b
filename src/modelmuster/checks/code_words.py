"""What choices are made by: a small effect ends at a choice among code words or labels, and still is an effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from modelmuster.contracts import Outputs
from modelmuster.numerics.tensors import flatten, named_tensors

LOGITS = "logits"
"""What a head answers by, and a label is chosen by."""

_QUANTISER = re.compile(r"(^|\.)quanti[sz]\w*")
"""A part that chooses among code words, with all that it holds."""


def _heads(part: torch.nn.Module) -> bool:
    from transformers import PreTrainedModel

    return isinstance(part, PreTrainedModel) and "For" in type(part).__name__


@contextmanager
def chosen_by(module: torch.nn.Module) -> Iterator[Callable[[], Outputs]]:
    """Hands out what was given in here to quantisers, and what models with a head inside this one answered.

    Some quantisers are called by their `encode` alone.
    """
    given: list[torch.Tensor] = []

    def note(_part: torch.nn.Module, arguments: tuple[Any, ...]) -> None:
        given.extend(value.detach().clone() for value in arguments[:1] if isinstance(value, torch.Tensor))

    def answered(_part: torch.nn.Module, _arguments: tuple[Any, ...], returned: Any) -> None:
        given.extend(value.detach().clone() for name, value in named_tensors(returned) if name == LOGITS)

    def noted(encode: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        note(module, arguments)
        return encode(*arguments, **named)

    parts = [part for name, part in module.named_modules() if _QUANTISER.search(name)]
    hooks = [part.register_forward_pre_hook(note) for part in parts]
    hooks += [part.register_forward_hook(answered) for part in module.modules() if part is not module and _heads(part)]
    encoding: list[Any] = [part for part in parts if hasattr(part, "encode")]
    for part in encoding:
        part.encode = partial(noted, part.encode)
    try:
        yield lambda: flatten({f"chosen_by.{place}": value for place, value in enumerate(given)})
    finally:
        for hook in hooks:
            hook.remove()
        for part in encoding:
            del part.encode
