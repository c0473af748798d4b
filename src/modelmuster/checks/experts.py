"""A router chooses a few experts for each token: as many as promised, different ones, with finite weights."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import torch

from modelmuster.checks.feeding import settings
from modelmuster.checks.live import call
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding, Trait

_CHOSEN = re.compile(r"(num_)?experts_per_tok(en)?|(moe_|router_)?top_?k(_experts)?|moe_k|num_selected_experts")
"""Keys of configurations that say how many experts each token gets."""

SUM_SLACK = 1e-4
"""Normalised weights may add up to this much more or less than one; an epsilon in the divisor is usual."""


class Experts(Question):
    """Watches what the routers hand to their experts."""

    name = "experts"
    question = "Does the router give every token its promised number of different experts, with finite weights?"
    traits = frozenset({Trait.MIXTURE_OF_EXPERTS})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models whose experts are handed the router's choice."""
        return None if any(_experts(trial.module)) else "no module takes the indices and weights of chosen experts"

    def run(self, trial: Trial) -> Finding:
        """Exact counts; sums within the slack."""
        seen: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        with ExitStack() as stack:
            for name, part in _experts(trial.module):
                stack.callback(part.register_forward_pre_hook(_watch(name, part, seen), with_kwargs=True).remove)
            call(trial, trial.inputs)
        promised, figures = _promised(trial), Figures({"routers": len(seen)})
        if not seen:
            return not_applicable("no token reached a router")
        for name, indices, weights in seen:
            figures[f"{name}.used"] = int(indices.unique().numel())
            wrong = _wrong(indices, weights, promised) or _sums(trial, weights)
            if wrong:
                return failed(f"{name}: {wrong}", figures)
        return passed(figures)


def _experts(module: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
    for name, part in module.named_modules():
        if {"top_k_index", "top_k_weights"} <= set(inspect.signature(part.forward).parameters):
            yield name, part


def _watch(name: str, part: torch.nn.Module, seen: list[tuple[str, torch.Tensor, torch.Tensor]]) -> Any:
    signature = inspect.signature(part.forward)

    def watch(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = signature.bind(*args, **kwargs).arguments
        seen.append((name, given["top_k_index"], given["top_k_weights"]))

    return watch


def _wrong(indices: torch.Tensor, weights: torch.Tensor, promised: set[int]) -> str | None:
    chosen = indices.shape[-1]
    if promised and chosen not in promised:
        return f"{chosen} experts for each token, the configuration promises {min(promised)}"
    ordered = indices.sort(-1).values
    if bool((ordered[..., 1:] == ordered[..., :-1]).any()):
        return "a token was given the same expert twice"
    if not torch.isfinite(weights).all():
        return "the weight of an expert is not finite"
    if not bool(weights.any()):
        return "every weight is zero"
    # With one expert a token, a small model may send all to the same; its weights then still tell the tokens apart.
    told_apart = chosen == 1 and bool((weights != weights[:1]).any())
    if bool((indices == indices[:1]).all()) and indices.shape[0] > chosen and not told_apart:
        return f"all {indices.shape[0]} tokens were given the same experts"
    return None


def _sums(trial: Trial, weights: torch.Tensor) -> str | None:
    """Where the configuration says that chosen weights are normalised, they add up to one, or to the stated factor."""
    found = dict(reversed(list(settings(trial.module.config.to_dict()))))
    if found.get("norm_topk_prob") is not True or weights.shape[-1] < 2:
        return None
    factor = found.get("routed_scaling_factor")
    expected = {1.0, float(factor)} if isinstance(factor, int | float) else {1.0}
    sums = weights.double().sum(-1)
    if any(bool(((sums - value).abs() <= SUM_SLACK * value).all()) for value in expected):
        return None
    return f"normalised weights add up to {float(sums.min()):.4f} … {float(sums.max()):.4f}"


def _promised(trial: Trial) -> set[int]:
    stated = settings(trial.module.config.to_dict())
    return {value for key, value in stated if _CHOSEN.fullmatch(str(key)) and type(value) is int and value > 0}
