"""Every weight is there for something: one that no output depends on was forgotten, or its part was switched off."""

from __future__ import annotations

import re

import torch

from modelmuster.checks.live import arguments
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
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
)
"""Parts of names, with the reason why a healthy model may have no gradient there."""

LISTED = 5


class ParametersReached(Question):
    """One backward pass from a random weighting of all outputs, in the type that the model runs in."""

    name = "parameters_reached"
    question = "Does every trainable parameter have an influence on the outputs?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Float32, where nothing underflows by itself."""
        return None if trial.dtype == "float32" else "asked in float32 only: narrower types underflow by themselves"

    def run(self, trial: Trial) -> Finding:
        """A gradient that is not zero, anywhere in the tensor."""
        trained = {name: value for name, value in trial.module.named_parameters() if value.requires_grad}
        trial.entering(Stage.RUN)
        seed_forward()
        with torch.enable_grad():
            returned = trial.module(**arguments(trial, trial.inputs))
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
        blamed = [name for name in unused if not _by_design(name)]
        figures: Figures = {"tensors": len(trained), "unused": len(unused), "blamed": ", ".join(blamed[:LISTED])}
        if blamed:
            more = f" and {len(blamed) - LISTED} more" if len(blamed) > LISTED else ""
            return failed(f"of no influence: {', '.join(blamed[:LISTED])}{more}", figures)
        return passed(figures)


def _by_design(name: str) -> bool:
    return any(re.search(rf"(^|\.)({pattern})($|\.)", name) for pattern, _ in UNUSED_BY_DESIGN)
