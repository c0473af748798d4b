"""A model that is to be trained needs a finite gradient at every weight that its outputs depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch

from modelmuster.checks.feeding import quantiser
from modelmuster.checks.left_out import calls, left_out
from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.training import never_trained, refuses, training_copy
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding, Stage

LEAST_REACHED = 0.5
"""Share of the trainable tensors, of parts that are used, that the outputs must depend on. Parts that a recipe does not
exercise (a token that marks masked patches, experts that nothing is routed to) are listed, not blamed."""

LISTED = 20

MOST_LAYERS = 64
"""Layers of a stack that are looked for."""

_LAYER = re.compile(r"(?<=\.)(\d+)(?=\.)")


class Gradients(Question):
    """Backward through a random weighting of all outputs."""

    name = "gradients"
    question = "Do finite gradients reach the trainable parameters?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that can be trained, in float32, where nothing underflows by itself."""
        if trial.dtype != "float32":
            return "asked in float32 only: narrower types underflow by themselves"
        return never_trained(trial.module)

    def run(self, trial: Trial) -> Finding:
        """Finite everywhere; not zero at more than half of the tensors, if no choice among code words stops it."""
        module = training_copy(trial.module)
        trainable = {name: value for name, value in module.named_parameters() if value.requires_grad}
        if not trainable:
            return not_applicable("the model has no trainable parameter")
        trial.entering(Stage.RUN)
        seed_forward()
        try:
            with calls(module) as seen, torch.enable_grad():
                loss = weighted(dict(named_tensors(module(**arguments(trial, trial.inputs)))))
        except ValueError as refusal:
            if not refuses(refusal):
                raise
            return not_applicable(f"refuses to train on these inputs: {refusal}")
        if loss is None:
            return not_applicable("no output depends on a parameter in a differentiable way")
        found = torch.autograd.grad(loss, list(trainable.values()), allow_unused=True)
        trial.entering(Stage.COMPARE)
        gradients = dict(zip(trainable, found, strict=True))
        wild = [name for name, value in gradients.items() if value is not None and not torch.isfinite(value).all()]
        unused = [name for name, value in gradients.items() if value is None or not value.any()]
        spared = left_out(module, unused, seen)
        asked = len(trainable) - len(spared)
        reached = 1 - (len(unused) - len(spared)) / asked if asked else 1.0
        figures: Figures = {"reached": reached, "tensors": asked, "not_finite": len(wild)}
        figures["left_out"] = ", ".join(sorted(set(spared.values())))
        figures["unused"] = ", ".join(unused[:LISTED]) + (", …" if len(unused) > LISTED else "")
        if wild:
            return failed(f"the gradient of {wild[0]} is not finite ({len(wild)} of {len(trainable)} tensors)", figures)
        odd = _odd_ones(set(gradients) - set(unused), unused)
        if odd:
            return failed(f"{odd} gets no gradient, though its siblings in all other layers do", figures)
        if reached < LEAST_REACHED and not quantiser(trial):
            missed = [name for name in unused if name not in spared]
            return failed(f"{len(missed)} of {asked} parameters get no gradient, such as {missed[0]}", figures)
        return passed(figures)


def _odd_ones(used: set[str], unused: list[str]) -> str:
    """A parameter in the middle of a stack that is not used, though the same one of every other layer is.

    The first and the last layer may have nothing to do for some of their parts; those between them are alike.
    """
    for name in unused:
        for match in _LAYER.finditer(name):
            index = int(match.group(1))
            siblings = [f"{name[: match.start(1)]}{other}{name[match.end(1) :]}" for other in range(MOST_LAYERS)]
            known = [other for other in siblings if other in used]
            if index and known and siblings.index(name) < siblings.index(known[-1]) and siblings[0] in used:
                return name
    return ""


def weighted(outputs: Mapping[str, torch.Tensor]) -> torch.Tensor | None:
    """A fixed random weighting of all finite values, so that no symmetry (a softmax sums to 1) hides a dependence."""
    generator = torch.Generator().manual_seed(0)
    parts = [_weighted(tensor, generator) for tensor in _differentiable(outputs)]
    return torch.stack(parts).sum() if parts else None


def _weighted(tensor: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    weights = torch.rand(tensor.shape, generator=generator).to(tensor.device)
    finite = torch.isfinite(tensor)
    return (torch.where(finite, tensor, 0) * weights).sum().float() / max(int(finite.sum()), 1)


def _differentiable(outputs: Mapping[str, torch.Tensor]) -> Iterator[torch.Tensor]:
    for tensor in outputs.values():
        if tensor.is_floating_point() and tensor.requires_grad and tensor.numel():
            yield tensor
