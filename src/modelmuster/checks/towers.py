"""A contrastive model compares what its towers make; each tower alone must make the same."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import arguments, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding, Stage, Trait

TOWERS = ("text", "image", "audio", "video")


class Towers(Question):
    """Calls get_…_features of each tower and compares directions with the joint forward's embeddings."""

    name = "towers"
    question = "Do the towers of a contrastive model, called alone, agree with the joint forward pass?"
    traits = frozenset({Trait.TWO_TOWER})
    needs = frozenset({Capability.MODULE})

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance; the tables of pairs are each other's transposes."""
        joint, figures, asked = outputs(trial, trial.inputs), Figures(), 0
        for tower in TOWERS:
            embeds = joint.get(f"{tower}_embeds")
            method = getattr(trial.module, f"get_{tower}_features", None)
            if embeds is None or method is None or embeds.array.ndim != 2:
                continue
            alone = _alone(trial, method)
            if alone is None or alone.array.shape != embeds.array.shape:
                continue
            asked += 1
            compared = same(trial, {f"{tower}_embeds": _direction(embeds)}, {f"{tower}_embeds": _direction(alone)})
            figures[f"{tower}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"the {tower} tower alone: {off(compared)}", figures)
        wrong = _transposed(trial, joint, figures)
        if wrong:
            return failed(wrong, figures)
        return passed(figures) if figures else not_applicable("returns no embeddings of single towers")


def _transposed(trial: Trial, joint: Outputs, figures: Figures) -> str | None:
    text = joint.get("logits_per_text")
    for name, output in joint.items():
        if text is None or name == "logits_per_text" or not name.startswith("logits_per_"):
            continue
        # Compared up to a factor: some models scale each direction by a temperature of its own.
        compared = same(trial, {name: _unit(Output(text.array.T, text.dtype))}, {name: _unit(output)})
        figures[f"{name}.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return f"{name} is not logits_per_text the other way round: {off(compared)}"
    return None


def _alone(trial: Trial, method: Any) -> Output | None:
    names = inspect.signature(method).parameters
    given = {name: value for name, value in arguments(trial, trial.inputs).items() if name in names}
    trial.entering(Stage.RUN)
    seed_forward()
    with torch.no_grad():
        returned = method(**given)
    trial.entering(Stage.COMPARE)
    found = flatten(returned)
    return found.get("pooler_output", found.get("output"))


def _unit(output: Output) -> Output:
    """The whole table scaled to length one."""
    flat = Output(output.array.reshape(1, -1), output.dtype)
    return Output(_direction(flat).array.reshape(output.array.shape), output.dtype)


def _direction(output: Output) -> Output:
    array = output.array.astype(np.float64)
    unit = array / np.linalg.norm(array, axis=-1, keepdims=True)
    return Output(unit.astype(output.array.dtype), output.dtype)
