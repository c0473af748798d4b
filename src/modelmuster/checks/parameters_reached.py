"""Every weight is there for something: one that no output depends on was forgotten, or its part was switched off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.live import arguments, outputs, word_table
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.precision import deep_copy
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding, Stage

UNUSED_BY_DESIGN: tuple[tuple[str, str], ...] = (
    (r"mask_token|masked_spec_embed|mask_emb\w*|\w*_mask_token\w*", "stands for what is masked, and nothing is"),
    (r"experts?|moe\w*|shared_expert\w*", "an expert that no token of the recipe is routed to"),
    (r"indexer|compressor", "chooses what is attended to, by a ranking that has no gradient"),
    (r"pooler", "a summary of the text that a class with another head does not read"),
    (r"(query|key|value)_global", "acts for tokens with global attention, and none has it"),
    (r"k_proj\.bias|key\.bias|k_bias|key_proj\.bias|k\.bias", "a key's bias shifts all scores of a query alike"),
    (r"denoising_\w+", "stands for labels to be restored, which are handed in while training only"),
)
"""Parts of names, with the reason why a healthy model may have no gradient there."""

LISTED = 5

_INDEX = re.compile(r"(?<=\.)\d+(?=\.)")


class ParametersReached(Question):
    """One backward pass from a random weighting of all outputs; what has no gradient is moved, to see what changes."""

    name = "parameters_reached"
    question = "Does every trainable parameter have an influence on the outputs?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Float32, where nothing underflows by itself."""
        return None if trial.dtype == "float32" else "asked in float32 only: narrower types underflow by themselves"

    def run(self, trial: Trial) -> Finding:
        """A gradient that is not zero, anywhere in the tensor; or more than the floor of the rule."""
        module = deep_copy(trial.module)
        trained = {name: value for name, value in module.named_parameters() if value.requires_grad and value.numel()}
        trial.entering(Stage.RUN)
        seed_forward()
        with _calls(module) as called, torch.enable_grad():
            returned = module(**arguments(trial, trial.inputs))
        draw = torch.Generator().manual_seed(0)
        parts = [
            (torch.nan_to_num(tensor, 0.0, 0.0, 0.0) * torch.rand(tensor.shape, generator=draw).to(tensor))
            .sum()
            .double()
            for _, tensor in named_tensors(returned)
            if tensor.requires_grad and tensor.numel()
        ]
        if not parts or not trained:
            return not_applicable("no output depends on a parameter in a differentiable way")
        found = torch.autograd.grad(torch.stack(parts).sum(), list(trained.values()), allow_unused=True)
        trial.entering(Stage.COMPARE)
        unused = [name for name, value in zip(trained, found, strict=True) if value is None or not value.any()]
        left_out = _left_out(module, unused, called)
        suspects = [name for name in unused if name not in left_out and not _by_design(name)]
        own = dict(trial.module.named_parameters())
        blamed = _without_influence(trial, {name: own[name] for name in suspects})
        figures: Figures = {
            "tensors": len(trained),
            "unused": len(unused),
            "left_out": ", ".join(sorted(set(left_out.values()))),
            "blamed": ", ".join(blamed[:LISTED]),
        }
        if blamed:
            more = f" and {len(blamed) - LISTED} more" if len(blamed) > LISTED else ""
            return failed(f"of no influence: {', '.join(blamed[:LISTED])}{more}", figures)
        return passed(figures)


def _by_design(name: str) -> bool:
    return any(re.search(rf"(^|\.)({pattern})($|\.)", name) for pattern, _ in UNUSED_BY_DESIGN)


@contextmanager
def _calls(module: torch.nn.Module) -> Iterator[set[str]]:
    """Fills the set with the names of all parts that are called in here."""
    called: set[str] = set()
    hooks = [
        part.register_forward_pre_hook(lambda _part, _given, name=name: called.add(name))
        for name, part in module.named_modules()
    ]
    try:
        yield called
    finally:
        for hook in hooks:
            hook.remove()


def _left_out(module: Any, unused: Iterable[str], called: set[str]) -> dict[str, str]:
    """Parameters of parts that the class around them keeps without needing them, each with the part's name.

    A head or a tower, with parts of its own, that is never called and is no layer among others; the words of a model
    that is handed embeddings; or the end of a model inside this one, whose earlier states are read instead of its last.
    """
    parts = dict(module.named_modules())
    busy = {above for name in called for above in _with_all_above(name)}
    # torch's own attention reads the weights of its last projection without calling it.
    busy |= {f"{name}.out_proj" for name in called if isinstance(parts[name], torch.nn.MultiheadAttention)}
    inner, unused = _inner_models(module), list(unused)
    tables = {id(word_table(parts[model])) for model in inner}
    found = {}
    for name in unused:
        owner = name.rpartition(".")[0]
        idle = [above for above in _with_all_above(owner) if above not in busy]
        if idle:
            part = idle[-1]
            if id(parts[part]) in tables or (
                any(True for _ in parts[part].children()) and not re.search(r"(^|\.)\d+($|\.)", part)
            ):
                found[name] = part
            continue
        around = [model for model in inner if name.startswith(f"{model}.")]
        layer = _INDEX.search(name, len(around[-1])) if around else None
        if around and layer is None:
            found[name] = owner
        elif layer is not None and _is_unread_end(parts, name[: layer.start() - 1], int(layer.group()), unused):
            found[name] = name[: layer.end()]
    return found


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


def _inner_models(module: Any) -> list[str]:
    """Names of whole models inside this one, its own body apart; outer ones first."""
    from transformers import PreTrainedModel

    body = getattr(module, "base_model", None)
    return [
        name for name, part in module.named_modules() if name and isinstance(part, PreTrainedModel) and part is not body
    ]


def _without_influence(trial: Trial, suspects: dict[str, torch.Tensor]) -> list[str]:
    """Those of the parameters that can be moved without any effect; alike ones of all layers are moved together.

    A choice among code words, or a table that is read outside of the gradient, has an influence all the same.
    """
    if not suspects:
        return []
    groups: dict[str, list[str]] = {}
    for name in suspects:
        groups.setdefault(_INDEX.sub("#", name), []).append(name)
    before, dead = outputs(trial, trial.inputs), []
    for names in groups.values():
        kept = {name: suspects[name].detach().clone() for name in names}
        try:
            with torch.no_grad():
                for name in names:
                    suspects[name].copy_(_moved(kept[name]))
            change, _ = influence(before, outputs(trial, trial.inputs), trial.dtype)
        finally:
            with torch.no_grad():
                for name in names:
                    suspects[name].copy_(kept[name])
        if change <= noise_floor(trial.dtype):
            dead += names
    return [name for name in suspects if name in dead]


def _moved(value: torch.Tensor) -> torch.Tensor:
    """Other numbers of the same size, in another order."""
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(value.shape, generator=draw).to(value)
    return value.flatten().flip(0).reshape(value.shape) + noise * max(float(value.abs().mean()), 0.1)
