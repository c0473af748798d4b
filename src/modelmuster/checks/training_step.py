"""A step against the gradient goes downhill, as steeply as the gradient says: otherwise it is not the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from modelmuster.checks.forward import main_outputs
from modelmuster.checks.labels import Labels, labels_for
from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.training import never_trained, refuses, training_copy
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding, Stage

FRACTIONS = (1e-1, 1e-2, 1e-3)
"""Shares of the loss that a step should take off, if the loss were a plane; the largest that works counts."""

STEEPNESS = (0.5, 1.5)
"""What the loss really loses, ÷ what its gradient promises: 1 for a step that is small enough."""


class TrainingStep(Question):
    """One step of gradient descent on the recipe's batch."""

    name = "training_step"
    question = "Does one training step lower the loss on its batch, by as much as the gradient promises?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that can be trained, in float32, where a small step is not lost in rounding."""
        if trial.dtype != "float32":
            return "asked in float32 only: narrower types round small steps away"
        return never_trained(trial.module)

    def run(self, trial: Trial) -> Finding:
        """On a copy without dropout; a loss of the model's own where it has a plain one."""
        module = training_copy(trial.module)
        trainable = [value for value in module.parameters() if value.requires_grad]
        loss = _loss(trial, module)
        trial.entering(Stage.RUN)
        try:
            with torch.enable_grad():
                before = loss()
        except ValueError as refusal:
            if not refuses(refusal):
                raise
            return not_applicable(f"refuses to train on these inputs: {refusal}")
        if before is None or not before.requires_grad:
            return not_applicable("no output depends on a parameter in a differentiable way")
        gradients = torch.autograd.grad(before, trainable, allow_unused=True)
        pairs = [
            (value, gradient) for value, gradient in zip(trainable, gradients, strict=True) if gradient is not None
        ]
        start = float(before.detach())
        squared = float(sum(gradient.double().square().sum() for _, gradient in pairs))
        figures = Figures({"loss": start, "gradient_norm": squared**0.5})
        if squared == 0:
            return not_applicable("the loss is flat: its gradient is zero")
        for fraction in FRACTIONS:
            after = _stepped(pairs, fraction * start / squared, loss)
            steepness = (start - after) / (fraction * start)
            figures |= {"fraction": fraction, "steepness": steepness, "loss_after": after}
            if STEEPNESS[0] <= steepness <= STEEPNESS[1]:
                return passed(figures)
        return failed(
            f"a step that should take {FRACTIONS[-1]:.1%} off the loss of {start:.4g} takes off "
            f"{figures['steepness']:.2f} times that",
            figures,
        )


def _loss(trial: Trial, module: torch.nn.Module) -> Callable[[], torch.Tensor | None]:
    """The model's own loss for labels, or else the mean square of its main outputs' distance to fixed numbers."""
    labels = labels_for(trial)
    given = {**trial.inputs, **labels.given} if isinstance(labels, Labels) else trial.inputs
    named, sizes = isinstance(labels, Labels), list[float]()

    def own() -> torch.Tensor | None:
        seed_forward()
        returned = module(**arguments(trial, given))
        if named and getattr(returned, "loss", None) is not None:
            return returned.loss.double()
        return _distance(main_outputs(dict(named_tensors(returned))).values(), sizes)

    return own


def _distance(outputs: Iterable[torch.Tensor], sizes: list[float]) -> torch.Tensor | None:
    """Each output is measured by its size at the first call, which fills `sizes`."""
    generator, parts = torch.Generator().manual_seed(0), []
    for index, tensor in enumerate(outputs):
        if index == len(sizes):
            sizes.append(_size(tensor))
        if tensor.is_floating_point() and tensor.numel():
            finite = torch.isfinite(tensor)
            goal = torch.randn(tensor.shape, generator=generator).to(tensor.device)
            parts.append(torch.where(finite, tensor.double() / sizes[index] - goal, 0).square().mean())
    return torch.stack(parts).mean() if parts else None


def _size(tensor: torch.Tensor) -> float:
    finite = tensor.detach().double()
    finite = finite[torch.isfinite(finite)]
    return max(float(finite.abs().max()), 1e-6) if finite.numel() else 1.0


def _stepped(
    pairs: list[tuple[torch.Tensor, torch.Tensor]], rate: float, loss: Callable[[], torch.Tensor | None]
) -> float:
    """The loss after a step of this rate; the parameters are as before afterwards, for another try."""
    kept = [value.detach().clone() for value, _ in pairs]
    try:
        with torch.no_grad():
            for value, gradient in pairs:
                value.sub_(rate * gradient)
            after = loss()
        assert after is not None
        return float(after)
    finally:
        with torch.no_grad():
            for (value, _), before in zip(pairs, kept, strict=True):
                value.copy_(before)
