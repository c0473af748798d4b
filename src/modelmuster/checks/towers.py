"""A contrastive model compares what its towers make; each tower alone must make the same."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import arguments, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import LEAST, replaced
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding, Stage, Trait

TOWERS = ("text", "image", "audio", "video")

_EMBEDS = ("image_embeds", "audio_embeds", "video_embeds")

_TEXT_STATE = "text_model_output.last_hidden_state"

LEAST_PAIRS = 4
"""Below, a factor and a term fit any table."""

COSINE_SLACK = 1e-3
"""Share of the table's spread that its entries may be off: tables of a small spread around a large term round."""


class Towers(Question):
    """Calls get_…_features of each tower and compares directions; then the table of pairs."""

    name = "towers"
    question = "Do the towers of a contrastive model, called alone, agree with the joint forward pass?"
    traits = frozenset({Trait.TWO_TOWER})
    needs = frozenset({Capability.MODULE})

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance; tables of pairs are each other's transposes, and made of cosines."""
        joint, figures, asked = outputs(trial, trial.inputs), Figures(), 0
        for tower in TOWERS:
            embeds = joint.get(f"{tower}_embeds")
            method = getattr(trial.module, f"get_{tower}_features", None)
            if embeds is None or method is None or embeds.array.ndim != 2:
                continue
            alone = _alone(trial, method, tower)
            if alone is None or alone.array.shape != embeds.array.shape:
                continue
            asked += 1
            compared = same(trial, {f"{tower}_embeds": _direction(embeds)}, {f"{tower}_embeds": _direction(alone)})
            figures[f"{tower}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"the {tower} tower alone: {off(compared)}", figures)
        for part in (_transposed, _not_cosines, _not_causal):
            if wrong := part(trial, joint, figures):
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


def _not_cosines(_trial: Trial, joint: Outputs, figures: Figures) -> str | None:
    """Pairs are compared by the angle between their embeddings: by it, a factor and a term make the whole table."""
    text, other = joint.get("text_embeds"), [name for name in joint if name in _EMBEDS]
    table = joint.get("logits_per_text")
    if text is None or table is None or len(other) != 1 or text.array.ndim != 2 or joint[other[0]].array.ndim != 2:
        return None
    cosines = _direction(text).array.astype(np.float64) @ _direction(joint[other[0]]).array.astype(np.float64).T
    if cosines.shape != table.array.shape or cosines.size < LEAST_PAIRS:
        return None
    known = np.stack([cosines.ravel(), np.ones(cosines.size)], 1)
    wanted = table.array.astype(np.float64).ravel()
    fitted = known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    share = float(np.abs(fitted - wanted).max() / max(np.abs(wanted - wanted.mean()).max(), 1e-12))
    figures["cosines.off"] = share
    if share > COSINE_SLACK:
        return f"logits_per_text does not follow from the angles between text_embeds and {other[0]}: not normalised"
    return None


def _not_causal(trial: Trial, joint: Outputs, figures: Figures) -> str | None:
    """Later tokens change earlier states of a text tower whose code knows no mask but the causal one."""
    state = joint.get(_TEXT_STATE)
    known = vars(sys.modules[type(trial.module).__module__])
    tokens = trial.inputs.get("input_ids")
    if state is None or not isinstance(tokens, np.ndarray) or state.array.shape[:2] != tokens.shape:
        return None
    if "create_causal_mask" not in known or "create_bidirectional_mask" in known or tokens.shape[1] < LEAST:
        return None
    middle = tokens.shape[1] // 2
    after = outputs(trial, replaced(trial, slice(middle, None))).get(_TEXT_STATE)
    assert after is not None
    early = ({_TEXT_STATE: Output(found.array[:, :middle], found.dtype)} for found in (state, after))
    compared = same(trial, *early)
    figures["text_causality.relative_rmse"] = size_of(compared)
    return None if agrees(compared) else f"later tokens reach back in the causal text tower: {off(compared)}"


def _alone(trial: Trial, method: Any, tower: str) -> Output | None:
    names = inspect.signature(method).parameters
    given = {name: value for name, value in arguments(trial, trial.inputs).items() if name in names}
    trial.entering(Stage.RUN)
    seed_forward()
    with torch.no_grad():
        returned = method(**given)
    trial.entering(Stage.COMPARE)
    found = flatten(returned)
    return next((found[name] for name in (f"{tower}_embeds", "pooler_output", "output") if name in found), None)


def _unit(output: Output) -> Output:
    """The whole table scaled to length one."""
    flat = Output(output.array.reshape(1, -1), output.dtype)
    return Output(_direction(flat).array.reshape(output.array.shape), output.dtype)


def _direction(output: Output) -> Output:
    array = output.array.astype(np.float64)
    unit = array / np.linalg.norm(array, axis=-1, keepdims=True)
    return Output(unit.astype(output.array.dtype), output.dtype)
