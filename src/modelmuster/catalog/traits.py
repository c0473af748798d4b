"""Traits: properties that cut across families, read from the default config, the outputs and the code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelmuster.catalog.facts import ClassFacts, TypeFacts
from modelmuster.records import Trait

_EXPERT_COUNT = re.compile(r"(num|n)_((local|routed)_)?experts|moe_(num|n)_experts")
_EXPERT_SWITCH = re.compile(r"(is|use|enable)_moe(_block)?")

_LAYER_LISTS = ("layer_types", "layers_block_type", "block_types", "attention_layers", "attn_layers")
_RECURRENT_LAYERS = frozenset({"linear_attention", "recurrent", "mamba", "mamba2"})
_WINDOWED_LAYERS = re.compile(r".*sliding.*|local|chunked_attention")
_WINDOWS = ("sliding_window", "sliding_windows", "attention_window", "attention_window_size", "local_attention")

_CONTRAST = re.compile(r"logits_per_\w+|logits_\w+_(text|audio|video)")
"""Outputs that compare every item of one tower with every item of the other."""


def traits(facts: TypeFacts, chosen: ClassFacts | None) -> dict[Trait, str]:
    """Every trait of a type, with the reason."""
    found = {
        Trait.MIXTURE_OF_EXPERTS: _experts(facts, chosen),
        Trait.STATE_SPACE: _recurrent(facts, chosen),
        Trait.SLIDING_WINDOW: _windowed(facts),
        Trait.ENCODER_DECODER: _encoder_decoder(facts, chosen),
        Trait.TWO_TOWER: _two_tower(chosen),
        Trait.GENERATIVE: f"{chosen.name} can generate" if chosen is not None and chosen.generates else None,
    }
    return {trait: reason for trait, reason in found.items() if reason}


def _experts(facts: TypeFacts, chosen: ClassFacts | None) -> str | None:
    """Several experts in the default config, or a number left open and experts in the code; no switch that is off."""
    for path, value in facts.settings.items():
        folder, _, name = path.rpartition(".")
        if not _EXPERT_COUNT.fullmatch(name):
            continue
        switches = [
            setting
            for other, setting in facts.settings.items()
            if other.rpartition(".")[0] == folder and _EXPERT_SWITCH.fullmatch(other.rpartition(".")[2])
        ]
        several = isinstance(value, int) and value > 1
        left_open = value is None and chosen is not None and chosen.code.experts
        if all(switches) and (several or left_open):
            return f"{path} is {value}" if several else f"{path} is left open, and the code holds experts"
    return None


def _layers(facts: TypeFacts) -> Iterator[tuple[str, set[str]]]:
    for path, value in facts.named(*_LAYER_LISTS):
        if isinstance(value, list | tuple) and all(isinstance(kind, str) for kind in value):
            yield path, set(value)


def _recurrent(facts: TypeFacts, chosen: ClassFacts | None) -> str | None:
    """Layers that carry a state: named in the default config, or else in the code where the config lists no layers."""
    listed = list(_layers(facts))
    for path, kinds in listed:
        if recurrent := sorted(kinds & _RECURRENT_LAYERS):
            return f"{path} has {recurrent[0]}"
    if chosen is None:
        return None
    if chosen.generates and chosen.takes("cache_params", "state"):
        return "forward hands a recurrent state on"
    unnamed = not listed or any("hybrid" in kinds for _, kinds in listed)
    return "the code carries a recurrent state" if unnamed and chosen.code.recurs else None


def _windowed(facts: TypeFacts) -> str | None:
    """Attention to a window that moves along: among the layers, or the setting of a config that lists none."""
    for path, kinds in _layers(facts):
        if windowed := sorted(kind for kind in kinds if _WINDOWED_LAYERS.fullmatch(kind)):
            return f"{path} has {windowed[0]}"
    listed = {path.rpartition(".")[0] for path, _ in _layers(facts)}
    for path, value in facts.named(*_WINDOWS):
        if path.rpartition(".")[0] not in listed and _positive(value):
            return f"{path} is {value}"
    return None


def _positive(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(_positive(item) for item in value)
    return isinstance(value, int) and value > 0


def _encoder_decoder(facts: TypeFacts, chosen: ClassFacts | None) -> str | None:
    if chosen is not None and chosen.takes("decoder_input_ids", "decoder_inputs_embeds", "decoder_input_values"):
        taken = [name for name in chosen.parameters if name.startswith("decoder_input")]
        return f"forward takes {taken[0]}"
    is_decoder_alone = chosen is not None and chosen.takes("encoder_hidden_states")
    if facts.setting("is_encoder_decoder") is True and not is_decoder_alone:
        return "the config says is_encoder_decoder"
    return None


def _two_tower(chosen: ClassFacts | None) -> str | None:
    compared = sorted(name for name in chosen.outputs if _CONTRAST.fullmatch(name)) if chosen is not None else []
    return f"its outputs hold {compared[0]}" if compared else None
