"""Arguments that a class needs of its config, whatever the architecture."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from functools import cache
from types import CodeType
from typing import Any

from modelmuster.catalog import bytecode
from modelmuster.recipes.shrink import sizes
from modelmuster.records import Applied, Architecture

DECODER_REASON = "The class is the architecture's causal one; its attention is causal only with this."
UNDECLARED_REASON = "The model's code reads it from the config, which does not declare it."

UNDECLARED: dict[str, Any] = {
    "initializer_range": 0.02,
    "num_key_value_heads": sizes.HEADS,
    "vision_start_token_id": sizes.VOCABULARY - 7,
}
"""Values for what configs are read for without declaring it, which only some checkpoints' configs have."""


def class_arguments(
    architecture: Architecture, cls: type, config: Any, arguments: dict[str, Any]
) -> tuple[Applied, ...]:
    """Write what the class needs into the arguments, in place, and say so."""
    return (*_causal(architecture, cls.__name__, config, arguments), *_undeclared(cls, config, arguments))


def _causal(architecture: Architecture, class_name: str, config: Any, arguments: dict[str, Any]) -> Iterator[Applied]:
    """`BertLMHeadModel` and its like share a config with a masked language model, and want `is_decoder`."""
    tasks = {entry.name: set(entry.tasks) for entry in architecture.model_classes}
    causal = "CAUSAL_LM" in tasks.get(class_name, ()) and "MASKED_LM" not in tasks[class_name]
    masked_too = any("MASKED_LM" in names for names in tasks.values())
    if causal and masked_too and vars(config).get("is_decoder") is False:
        arguments["is_decoder"] = True
        yield Applied(rule="causal-class", field="is_decoder", before=False, after=True, reason=DECODER_REASON)


def _undeclared(cls: type, config: Any, arguments: dict[str, Any]) -> Iterator[Applied]:
    from transformers import PreTrainedConfig

    inner = [value for value in vars(config).values() if isinstance(value, PreTrainedConfig)]
    for name in sorted(UNDECLARED.keys() - arguments.keys()):
        if hasattr(config, name):
            continue
        # What a part declares may be meant where the code of the whole says `self.config`, for parts inherit it.
        meant = name in _read_by(cls) and not any(hasattr(part, name) for part in inner)
        if meant or name in _read_by_layers(cls, type(config).__name__):
            arguments[name] = UNDECLARED[name]
            yield Applied(rule="undeclared", field=name, after=UNDECLARED[name], reason=UNDECLARED_REASON)


@cache
def _read_by(cls: type) -> frozenset[str]:
    """Attributes that the methods of the class read of something called `config`."""
    return frozenset(name for method in bytecode.own_functions(cls).values() for name in _after_config(method.__code__))


@cache
def _read_by_layers(cls: type, config_class: str) -> frozenset[str]:
    """The same of the layers in its module that are made from that very config."""
    found: set[str] = set()
    for layer in vars(sys.modules[cls.__module__]).values():
        methods = bytecode.own_functions(layer) if isinstance(layer, type) else {}
        made_from = methods["__init__"].__annotations__.get("config") if "__init__" in methods else None
        if getattr(made_from, "__name__", made_from) == config_class:
            found |= _read_by(layer)
    return frozenset(found)


def _after_config(code: CodeType) -> Iterator[str]:
    before: Any = None
    for instruction in dis.get_instructions(code):
        if before == "config" and instruction.opname == "LOAD_ATTR":
            yield instruction.argval
        before = instruction.argval
