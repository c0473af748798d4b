"""Parts of a model that a call leaves out by design, told from those that it has forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from modelmuster.checks.live import word_table

ASKED = "output_hidden_states"
"""How a model is asked for the states of all of its layers."""

INDEX = re.compile(r"(?<=\.)\d+(?=\.)")

_HEAD = re.compile(r"\w*(class_\w+|order_head|lqe_layers|match_assignment_layers)")
"""Names of lists with one head for each layer of a decoder; not those of boxes, which one layer hands to the next."""


@dataclass(slots=True)
class Calls:
    """What was called, by the names of the parts."""

    called: set[str] = field(default_factory=set)
    given_numbers: set[str] = field(default_factory=set)
    """Those that were given something else than zeros."""
    asked_for_states: set[str] = field(default_factory=set)
    """Those that were asked for the states of all of their layers."""

    busy: set[str] = field(default_factory=set)
    """Those that were called, and all that hold one that was."""

    def idle(self, part: str) -> str:
        """The outermost part around this one that nothing was called of; empty where there is none."""
        return next((above for above in reversed(list(_with_all_above(part))) if above not in self.busy), "")

    def note(self, part: torch.nn.Module, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Note one call."""
        self.called.add(name)
        self.busy |= set(_with_all_above(name))
        if isinstance(part, torch.nn.MultiheadAttention):
            # It reads the weights of its last projection without calling it.
            self.busy.add(f"{name}.out_proj")
        tensors = [value for value in (*given, *named.values()) if isinstance(value, torch.Tensor)]
        if not tensors or any(bool(tensor.any()) for tensor in tensors):
            self.given_numbers.add(name)
        if named.get(ASKED):
            self.asked_for_states.add(name)


@contextmanager
def calls(module: torch.nn.Module) -> Iterator[Calls]:
    """Notes all calls of parts in here."""
    found = Calls()
    hooks = [
        part.register_forward_pre_hook(
            lambda part, given, named, name=name: found.note(part, name, given, named), with_kwargs=True
        )
        for name, part in module.named_modules()
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def left_out(module: Any, unused: Iterable[str], seen: Calls) -> dict[str, str]:
    """Parameters of parts that the class around them keeps without needing them, each with the part's name.

    A head or a tower, with parts of its own, that is never called and is no layer among others; the words of a model
    that is handed embeddings; the end of a model whose earlier states are read instead of its last; the head of a
    layer that is not the last; or a weight that multiplies the zeros which queries start from.
    """
    parts = dict(module.named_modules())
    inner, unused = _inner_models(module, seen), list(unused)
    tables = {id(word_table(parts[model])) for model in inner}
    found = {}
    for name in unused:
        owner, _, leaf = name.rpartition(".")
        multiplies_zeros = leaf == "weight" and isinstance(parts[owner], torch.nn.Linear | torch.nn.LayerNorm)
        if _is_early_head(parts, name, unused):
            found[name] = owner
        elif part := seen.idle(owner):
            if id(parts[part]) in tables or _is_whole(parts, part):
                found[name] = part
        elif multiplies_zeros and owner not in seen.given_numbers:
            found[name] = owner
        elif end := _unread_end(parts, inner, name, unused):
            found[name] = end
    return found


def whole_idle(module: torch.nn.Module, name: str, seen: Calls) -> bool:
    """Whether the tensor of this name belongs to a head or a tower, with parts of its own, that was never called."""
    part = seen.idle(name.rpartition(".")[0])
    return bool(part) and _is_whole(dict(module.named_modules()), part)


def _is_whole(parts: dict[str, torch.nn.Module], part: str) -> bool:
    return any(True for _ in parts[part].children()) and not re.search(r"(^|\.)\d+($|\.)", part)


def _is_early_head(parts: dict[str, torch.nn.Module], name: str, unused: list[str]) -> bool:
    """Whether it belongs to a head for an inner layer, as training asks for, and the head for a later layer is used."""
    for index in INDEX.finditer(name):
        stack = name[: index.start() - 1]
        if any(_HEAD.fullmatch(word) for word in stack.split(".")):
            later = {
                f"{stack}.{place}.{parameter}"
                for place, member in parts[stack].named_children()
                if place.isdigit() and int(place) > int(index.group())
                for parameter, _ in member.named_parameters()
            }
            return bool(later - set(unused))
    return False


def _unread_end(parts: dict[str, torch.nn.Module], inner: list[str], name: str, unused: list[str]) -> str:
    """The end of an inner model that the parameter is part of, if nothing reads it; else empty."""
    around = [model for model in inner if name.startswith(f"{model}.")]
    if not around:
        return ""
    layer = INDEX.search(name, len(around[-1]))
    if layer is None:
        return name.rpartition(".")[0]
    ends_here = _is_unread_end(parts, name[: layer.start() - 1], int(layer.group()), unused)
    return name[: layer.end()] if ends_here else ""


def _is_unread_end(parts: dict[str, torch.nn.Module], stack: str, index: int, unused: list[str]) -> bool:
    """Whether nothing of this layer of a stack, nor of those after it, is used, but something of those before is."""
    members = list(parts[stack].named_children()) if stack in parts else []
    after = [
        f"{stack}.{place}.{name}"
        for place, member in members
        if place.isdigit() and int(place) >= index
        for name, _ in member.named_parameters()
    ]
    return index > 0 and bool(after) and set(after) <= set(unused)


def _with_all_above(name: str) -> Iterator[str]:
    """The part itself, then what holds it, up to the whole."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _inner_models(module: Any, seen: Calls) -> list[str]:
    """Names of whole models inside this one, outer ones first; its own body only if asked for all of its states."""
    from transformers import PreTrainedModel

    body = getattr(module, "base_model", None)
    return [
        name
        for name, part in module.named_modules()
        if name and isinstance(part, PreTrainedModel) and (part is not body or name in seen.asked_for_states)
    ]
