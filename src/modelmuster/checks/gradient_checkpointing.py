"""Recomputing activations instead of keeping them saves memory; it must not change a gradient."""

from __future__ import annotations

from typing import Any

import torch

from modelmuster.checks.differences import relative_rms
from modelmuster.checks.gradients import weighted
from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.training import training_copy
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import TOLERANCES
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding, Stage


class GradientCheckpointing(Question):
    """Trains a copy, without dropout, with and without checkpointing."""

    name = "gradient_checkpointing"
    question = "Are the outputs and gradients with gradient checkpointing those without?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Classes that say that they support it."""
        if not getattr(trial.module, "supports_gradient_checkpointing", False):
            return "the class does not support gradient checkpointing"
        return None if trial.dtype == "float32" else "asked in float32 only"

    def run(self, trial: Trial) -> Finding:
        """The floor of the rule for every gradient: the same operations run again."""
        module = training_copy(trial.module)
        given = arguments(trial, trial.inputs)
        trial.entering(Stage.RUN)
        plain = _trained(module, given)
        module.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        layers = sum(bool(getattr(part, "gradient_checkpointing", False)) for part in module.modules())
        checkpointed = _trained(module, given)
        trial.entering(Stage.COMPARE)
        figures = Figures({"checkpointed_layers": layers})
        if plain is None or checkpointed is None:
            return not_applicable("no output depends on a parameter in a differentiable way")
        tolerance = TOLERANCES[trial.dtype]
        bound, worst, name = tolerance.floor * tolerance.step, 0.0, ""
        largest = max((float(gradient.abs().max()) for key, gradient in plain.items() if key != "loss"), default=0.0)
        for key, gradient in plain.items():
            if float(gradient.abs().max()) <= bound * largest:
                continue  # nothing but rounding, such as the bias of a key, which shifts all scores alike
            other = checkpointed.get(key)
            if other is None:
                return failed(f"{key} gets no gradient with checkpointing", figures)
            error = relative_rms((other - gradient).double().numpy(), gradient.double().numpy())
            worst, name = max((worst, name), (error, key))
        figures |= {"relative_rmse": worst, "bound": bound}
        if worst > bound:
            return failed(f"with checkpointing, the gradient of {name} is off by {worst:.1e} of its size", figures)
        return passed(figures) if layers else not_applicable("no layer of this model is checkpointed")


def _trained(module: torch.nn.Module, given: dict[str, Any]) -> dict[str, torch.Tensor] | None:
    """The gradient of every parameter that has one; of the loss too, under the name `loss`."""
    trainable = {name: value for name, value in module.named_parameters() if value.requires_grad}
    seed_forward()
    with torch.enable_grad():
        loss = weighted(dict(named_tensors(module(**given))))
        if loss is None:
            return None
        found = torch.autograd.grad(loss, list(trainable.values()), allow_unused=True)
    kept = {name: value.cpu() for name, value in zip(trainable, found, strict=True) if value is not None}
    return {"loss": loss.detach().cpu().reshape(1), **{name: value for name, value in kept.items() if value.any()}}
