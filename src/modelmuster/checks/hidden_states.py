"""The states between the layers, as many as the configuration has layers, one more for what the first one reads."""

from __future__ import annotations

import itertools
from typing import Any

from modelmuster.checks.differences import noise_floor, relative_rms
from modelmuster.checks.live import attention_implementation, call
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding


class HiddenStates(Question):
    """Asks for hidden states and attention maps and counts them."""

    name = "hidden_states"
    question = "Are there as many hidden states and attention maps as layers, and does every layer do something?"
    families = frozenset({Family.ENCODER_ONLY, Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models whose configuration counts its layers."""
        reason = text_only(trial)
        if reason is None and not isinstance(getattr(trial.module.config, "num_hidden_layers", None), int):
            return "the configuration does not count its layers"
        if (
            reason is None
            and sum(hasattr(part, "num_hidden_layers") for part in vars(trial.module.config).values()) > 1
        ):
            return "its layers stand in several stacks"
        return reason

    def run(self, trial: Trial) -> Finding:
        """Exact counts and shapes."""
        config, figures = trial.module.config, Figures()
        # Where both are told, a layer that returns its state counts for several of the other kind.
        layers = getattr(config, "num_layers", config.num_hidden_layers)
        rows, length = trial.inputs["input_ids"].shape
        states = getattr(call(trial, trial.inputs, output_hidden_states=True), "hidden_states", None)
        if states is None:
            return not_applicable("returns no hidden states")
        figures |= {"layers": layers, "hidden_states": len(states)}
        if len({state.shape[1] for state in states}) > 1:
            return not_applicable("returns the states of several stacks, which count their positions differently")
        if len(states) != layers + 1:
            return failed(f"{len(states)} hidden states for {layers} layers", figures)
        odd = [tuple(state.shape) for state in states if tuple(state.shape[:2]) != (rows, length)]
        if odd:
            return failed(f"a hidden state of shape {odd[0]} for {rows} rows of {length} tokens", figures)
        for layer, (before, after) in enumerate(itertools.pairwise(states)):
            if before.shape != after.shape:
                continue  # the last layer joins the streams that the others keep side by side
            moved = relative_rms((after - before).double().cpu().numpy(), before.double().cpu().numpy())
            if moved <= noise_floor(trial.dtype):
                return failed(f"layer {layer} changes its hidden state by {moved:.1e} only", figures)
        maps = _attention_maps(trial)
        figures["attentions"] = len(maps)
        if len(maps) > max(layers, config.num_hidden_layers):
            return failed(f"{len(maps)} attention maps for {layers} layers", figures)
        return passed(figures)


def _attention_maps(trial: Trial) -> list[Any]:
    if not hasattr(trial.module, "set_attn_implementation"):
        return []
    with attention_implementation(trial.module, "eager"):
        returned = call(trial, trial.inputs, output_attentions=True)
    return [found for found in getattr(returned, "attentions", None) or () if found is not None]
