"""A gradient is a promise about what a small change of the weights does to the outputs; here the change is made."""

from __future__ import annotations

import sys
from typing import Any

import torch

from modelmuster.checks.feeding import quantiser, settings
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.training import gradients_of
from modelmuster.contracts import Capability, Inputs, Trial
from modelmuster.numerics.precision import in_float64
from modelmuster.numerics.reference import Float64Casts, float64_defaults
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors, to_torch
from modelmuster.records import Finding, Stage

STEP = 1e-8
"""Of the size of each weight. Rectifiers that a step crosses are what limits it from above (at 1e-6, a few of a
ResNet's half million do, and cost 0.3 % of the change), float64's rounding from below (2e-5 of the change)."""

TOLERANCE = 1e-3
"""Of the root of the summed squares of the tensors' shares. One tensor of a hundred that gets no gradient makes ten
times this."""

STOPPED = "stop_gradient"
"""How settings begin that let parts of a model train apart from each other."""


SUMS = 64
"""Roundings of numbers around one that the change is a difference of: they matter where it is next to nothing."""


class GradientValues(Question):
    """Moves all weights a little along one random direction, in a float64 copy on the CPU."""

    name = "gradient_values"
    question = "Do the gradients say by how much the outputs change when the weights do?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Float32, once: the copy is the same whatever the trial runs in."""
        if trial.dtype != "float32":
            return "asked in float32 only: it is answered by a float64 copy"
        config = getattr(trial.module, "config", None)
        known = settings(config.to_dict()) if config is not None else ()
        stopped = next((key for key, value in known if value and str(key).startswith(STOPPED)), None)
        if stopped is not None:
            return f"{stopped} keeps the gradient from going on"
        chosen = quantiser(trial)
        return f"has a quantiser ({chosen}), whose gradient is a stand-in by design" if chosen else None

    def run(self, trial: Trial) -> Finding:
        """The change along the direction against the gradient's product with it."""
        trial.entering(Stage.RUN)
        module = in_float64(trial.module).cpu()
        trained = {name: value for name, value in module.named_parameters() if value.requires_grad}
        loss = _value(module, trial.inputs) if trained else None
        if loss is None:
            return not_applicable("no output depends on a trainable parameter in a differentiable way")
        gradients = gradients_of(loss, list(trained.values()))
        if isinstance(gradients, str):
            return not_applicable(gradients)
        directions = _directions(module, trained)
        shares = [
            float((gradient * directions[name]).sum()) if gradient is not None else 0.0
            for name, gradient in zip(trained, gradients, strict=True)
        ]
        start = float(loss.detach())
        change = _change(module, trial.inputs, directions, start)
        trial.entering(Stage.COMPARE)
        scale = sum(share**2 for share in shares) ** 0.5
        off = abs(change - sum(shares))
        figures: Figures = {"promised": sum(shares), "found": change, "off_by_scale": off / scale if scale else off}
        rounding = SUMS * sys.float_info.epsilon * max(abs(start), 1.0) / STEP
        if off <= max(TOLERANCE * max(scale, abs(change)), rounding):
            return passed(figures)
        worst = _worst(module, trial.inputs, directions, dict(zip(trained, shares, strict=True)), start)
        return failed(
            f"moving the weights changes the outputs by {change:.4g}, the gradients promise {sum(shares):.4g}; "
            f"{worst} is among the weights that are off",
            figures,
        )


def _value(module: torch.nn.Module, inputs: Inputs) -> torch.Tensor | None:
    seed_forward()
    with float64_defaults(), Float64Casts(), torch.enable_grad():
        parts = [
            _weighted(tensor, place)
            for place, (_, tensor) in enumerate(named_tensors(module(**to_torch(inputs, torch.float64))))
            if tensor.requires_grad and tensor.numel()
        ]
    return torch.stack(parts).sum() if parts else None


def _weighted(tensor: torch.Tensor, place: int) -> torch.Tensor:
    """A fixed random weighting of all finite values, so that no symmetry (a softmax sums to 1) hides a dependence."""
    weights = torch.rand(tensor.shape, generator=torch.Generator().manual_seed(place), dtype=torch.float64)
    finite = torch.isfinite(tensor)
    return (torch.where(finite, tensor, 0) * weights).sum().double() / max(int(finite.sum()), 1)


def _directions(module: torch.nn.Module, trained: dict[str, Any]) -> dict[str, torch.Tensor]:
    """For each tensor a random direction of its own size; none for rows of tables that are kept from training."""
    draw = torch.Generator().manual_seed(0)
    made = {}
    for name, value in trained.items():
        size = max(float(value.detach().square().mean().sqrt()), 1e-3)
        made[name] = size * torch.randn(value.shape, generator=draw, dtype=torch.float64)
    by_identity = {id(value): name for name, value in trained.items()}
    for part in module.modules():
        if isinstance(part, torch.nn.Embedding) and part.padding_idx is not None and id(part.weight) in by_identity:
            made[by_identity[id(part.weight)]][part.padding_idx] = 0
    return made


def _change(module: torch.nn.Module, inputs: Inputs, directions: dict[str, torch.Tensor], start: float) -> float:
    """By how much the weighted sum of the outputs, at first `start`, changes for a whole step of size one.

    Forth only: a step back too would make up for curvature, of which a step this small sees nothing.
    """
    parameters = dict(module.named_parameters())
    before = {name: parameters[name].detach().clone() for name in directions}
    with torch.no_grad():
        for name, direction in directions.items():
            parameters[name].add_(STEP * direction)
    value = _value(module, inputs)
    with torch.no_grad():
        for name, kept in before.items():
            parameters[name].copy_(kept)
    assert value is not None
    return (float(value.detach()) - start) / STEP


def _worst(
    module: torch.nn.Module,
    inputs: Inputs,
    directions: dict[str, torch.Tensor],
    shares: dict[str, float],
    start: float,
) -> str:
    """A tensor whose gradient is wrong: of two halves of the weights, always that which is further off."""
    names = list(directions)
    while len(names) > 1:
        halves = names[: len(names) // 2], names[len(names) // 2 :]
        missed = []
        for half in halves:
            change = _change(module, inputs, {name: directions[name] for name in half}, start)
            missed.append(abs(change - sum(shares[name] for name in half)))
        names = halves[missed[1] > missed[0]]
    return names[0]
