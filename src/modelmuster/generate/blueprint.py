"""What a test file has to know about one class of one architecture: data, so that files are made in no time."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from modelmuster.records import Architecture, Family, Modality, Trait

FORMAT = 1
"""To be raised when fields mean something else: older snapshots are not used then."""

ASKED = (
    "batch_invariance", "padding", "causality", "bidirectional", "cache", "generate_greedy", "encoder_decoder",
    "attention_implementation", "save_load", "gradients",
)  # fmt: skip
"""The checks that a test file asks in its own words: where they fit, its questions do."""


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """An input that carries data, and a change of it that the model accepts."""

    name: str
    modality: Modality
    change: str
    """A method call, such as `flip(-1)`."""


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """One class of one architecture: how to build it, how to call it, and which questions fit it."""

    model_type: str
    model_class: str
    family: Family
    traits: tuple[Trait, ...] = ()
    modalities: tuple[Modality, ...] = ()
    reason: str = ""
    """Why there is no recipe; everything below is empty then."""
    missing: str = ""
    """The package whose absence is the reason, where it is."""
    config_source: str = ""
    """Where the config class is found from `transformers` on, such as `BertConfig` or `models.x.configuration_x.Y`."""
    class_source: str = ""
    session_source: str = ""
    """Where the class of the session is found that each call needs, for a model that is asked through one."""
    config: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    """Source of each input, by the argument of `forward`."""
    outputs: dict[str, tuple[int, ...]] = {}
    """Shapes of the tensors that are compared, by name."""
    floats: tuple[str, ...] = ()
    """The outputs of floating-point numbers."""
    returned: Literal["named", "tensor", "nested"] = "named"
    """What `forward` returns: tensors by name, a bare tensor, or tensors inside other things."""
    uneven: bool = False
    """Whether outputs hold infinities or numbers that stand for them, which masks of logits do."""
    rows: tuple[str, ...] = ()
    """The outputs with one row for each of the batch."""
    reached: tuple[str, ...] = ()
    """The outputs that gradients flow from."""
    text_output: str = ""
    """The output that holds something for each token of `input_ids`."""
    length: int = 0
    """Tokens of `input_ids`."""
    decoder_length: int = 0
    """Tokens of `decoder_input_ids`."""
    cache: str = ""
    """The argument of `forward` that takes the cache back."""
    batch: int = 0
    """Rows of the batch."""
    carriers: tuple[Carrier, ...] = ()
    last_frame: tuple[str, str] | None = None
    """Name of the clips among the inputs, and the index of their last frames."""
    questions: tuple[str, ...] = ()
    """Names of the properties that fit this class."""
    left_out: tuple[str, ...] = ()
    """Names of those that fit by the class's looks, and do not hold of this model."""
    parameters: int = 0
    recipe_hash: str = ""


def encode(entry: Blueprint) -> bytes:
    """One line; fields with their default value are left out. Infinities, which configs hold, are kept."""
    plain = msgspec.to_builtins(entry)
    kept = {name: value for name, value in plain.items() if value and value != "named"}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def decode(line: bytes) -> Blueprint:
    """What `encode` wrote.

    Raises:
        ValueError: it wrote something else.
    """
    return msgspec.convert(json.loads(line), Blueprint)


def without_recipe(architecture: Architecture, model_class: str, reason: str, *, missing: str = "") -> Blueprint:
    """The entry of a class for which there is no recipe."""
    return Blueprint(
        model_type=architecture.model_type,
        model_class=model_class,
        family=architecture.family,
        reason=reason,
        missing=missing,
    )
