"""In which direction a type reads its text: an attention mask in the code, a recurrence, or a switch in the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from modelmuster.catalog.facts import ClassFacts, TypeFacts


class Direction(StrEnum):
    """What a position of the text can see."""

    CAUSAL = "causal"
    """Itself and what came before."""
    BOTH_WAYS = "both ways"
    ENCODER_DECODER = "encoder-decoder"
    """An encoder reads both ways, and a causal decoder reads the encoder."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A direction with the evidence for it."""

    direction: Direction
    reason: str


_RECURRENT_STATES = ("cache_params", "state")
"""Parameters that hand a recurrent state from one call to the next (Mamba, RWKV)."""

_SWITCHES = {"is_decoder": False, "causal": False, "attn_type": "bi"}
"""Settings that make code read both ways that could also read causally: BERT-likes, XLM, XLNet."""


def reading(facts: TypeFacts, known: Mapping[str, TypeFacts]) -> Reading:
    """How this type reads text by default, judged by its code and default config.

    Args:
        facts: The type.
        known: All types, for those that merely wrap another one, as an encoder-decoder of any two models does.
    """
    return _reading(facts, known, frozenset())


def _reading(facts: TypeFacts, known: Mapping[str, TypeFacts], asked: frozenset[str]) -> Reading:
    classes = [found for found in facts.classes if found.runs]
    if any(found.takes("decoder_input_ids") for found in classes):
        return Reading(Direction.ENCODER_DECODER, "forward takes decoder_input_ids")
    if recurrent := _recurrence(classes):
        return Reading(Direction.CAUSAL, recurrent)
    masks = frozenset().union(*(found.code.masks for found in classes))
    by_role = frozenset().union(*(found.code.masks_by_role for found in classes))
    if causal := sorted(name for name in masks if "causal" in name):
        return Reading(Direction.CAUSAL, f"the code always calls {causal[0]}")
    if any("causal" in name for name in by_role) and facts.setting("is_decoder"):
        return Reading(Direction.CAUSAL, "the code masks causally for a decoder, and the config says is_decoder")
    for name, both_ways in _SWITCHES.items():
        if facts.setting(name) == both_ways and facts.setting(name) is not None:
            return Reading(Direction.BOTH_WAYS, f"the config sets {name} to {both_ways!r}")
    if bidirectional := sorted(name for name in masks | by_role if "bidirectional" in name):
        return Reading(Direction.BOTH_WAYS, f"the only masks in the code are such as {bidirectional[0]}")
    if any(found.code.triangles and "CAUSAL_LM" in found.tasks for found in classes):
        return Reading(Direction.CAUSAL, "a causal language model that makes a triangular mask of its own")
    for name in facts.contains.values():
        if name in known and name not in asked:
            inner = _reading(known[name], known, asked | {facts.model_type})
            return Reading(inner.direction, f"it wraps {name}: {inner.reason}")
    return Reading(Direction.BOTH_WAYS, "nothing in the code keeps a position from seeing later ones")


def _recurrence(classes: list[ClassFacts]) -> str | None:
    for found in classes:
        if found.takes(*_RECURRENT_STATES) and found.generates:
            return "forward hands a recurrent state on"
        if "create_recurrent_attention_mask" in found.code.masks:
            return "the code calls create_recurrent_attention_mask"
    return None
