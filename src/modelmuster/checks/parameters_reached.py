"""Every weight is there for something: one that no output depends on was forgotten, or its part was switched off."""

from __future__ import annotations

import re

import torch

from modelmuster.checks.code_words import chosen_by
from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.left_out import INDEX, calls, left_out
from modelmuster.checks.live import arguments, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.training import gradients_of
from modelmuster.contracts import Capability, Outputs, Trial
from modelmuster.numerics.precision import deep_copy, forget
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding, Stage

UNUSED_BY_DESIGN: tuple[tuple[str, str], ...] = (
    (r"mask_token|masked_spec_embed|mask_emb\w*|\w*_mask_token\w*", "stands for what is masked, and nothing is"),
    (r"experts?|moe\w*|shared_expert\w*", "an expert that no token of the recipe is routed to"),
    (r"indexer|compressor", "chooses what is attended to, by a ranking that has no gradient"),
    (r"pooler", "a summary of the text that a class with another head does not read"),
    (r"(query|key|value)_global", "acts for tokens with global attention, and none has it"),
    (
        r"(linear_)?k\.bias|k_bias|(k|key)_proj\.bias|key\.bias",
        "a key's bias shifts all scores of a query alike",
    ),
    (r"denoising_\w+", "stands for labels to be restored, which are handed in while training only"),
    (r"enc_out\w*\.[1-9]\d*", "belongs to the further groups of queries that training has"),
    (r"auxiliary_head", "answers for a loss of its own, which needs labels"),
    (r"output_hypernetworks_mlps\.0", "makes the single mask that can be asked for instead of several"),
    (r"fusion_stage\.\w+\.0\.residual_layer1", "takes what comes from a deeper level, which the deepest lacks"),
)
"""Parts of names, with the reason why a healthy model may have no gradient there."""

LISTED = 5


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
        with calls(module) as seen, torch.enable_grad():
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
        found = gradients_of(torch.stack(parts).sum(), list(trained.values()))
        if isinstance(found, str):
            return not_applicable(found)
        trial.entering(Stage.COMPARE)
        unused = [name for name, value in zip(trained, found, strict=True) if value is None or not value.any()]
        spared = left_out(module, unused, seen)
        suspects = [name for name in unused if name not in spared and not _by_design(trial, name)]
        own = dict(trial.module.named_parameters())
        blamed = _without_influence(trial, {name: own[name] for name in suspects})
        figures: Figures = {
            "tensors": len(trained),
            "unused": len(unused),
            "left_out": ", ".join(sorted(set(spared.values()))),
            "blamed": ", ".join(blamed[:LISTED]),
        }
        if blamed:
            more = f" and {len(blamed) - LISTED} more" if len(blamed) > LISTED else ""
            return failed(f"of no influence: {', '.join(blamed[:LISTED])}{more}", figures)
        return passed(figures)


def _by_design(trial: Trial, name: str) -> bool:
    apart = any(modality.value in name for modality in trial.recipe.apart)
    return apart or any(re.search(rf"(^|\.)({pattern})($|\.)", name) for pattern, _ in UNUSED_BY_DESIGN)


def _without_influence(trial: Trial, suspects: dict[str, torch.Tensor]) -> list[str]:
    """Those of the parameters that can be moved without any effect; alike ones of all layers are moved together.

    A choice among code words, or a table that is read outside of the gradient, has an influence all the same.
    """
    if not suspects:
        return []
    groups: dict[str, list[str]] = {}
    for name in suspects:
        groups.setdefault(INDEX.sub("#", name), []).append(name)
    before, dead = _answers(trial), []
    for names in groups.values():
        kept = {name: suspects[name].detach().clone() for name in names}
        try:
            with torch.no_grad():
                for name in names:
                    suspects[name].copy_(_moved(kept[name]))
            change, _ = influence(before, _answers(trial), trial.dtype)
        finally:
            with torch.no_grad():
                for name in names:
                    suspects[name].copy_(kept[name])
            forget(trial.module)
        if change <= noise_floor(trial.dtype):
            dead += names
    return [name for name in suspects if name in dead]


def _answers(trial: Trial) -> Outputs:
    """The outputs, with what quantisers choose their code words by: small effects end at the choice."""
    forget(trial.module)
    with chosen_by(trial.module) as choices:
        return {**outputs(trial, trial.inputs), **choices()}


def _moved(value: torch.Tensor) -> torch.Tensor:
    """Other numbers of the same size, in another order."""
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(value.shape, generator=draw).to(value)
    return value.flatten().flip(0).reshape(value.shape) + noise * max(float(value.abs().mean()), 0.1)
