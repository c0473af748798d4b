"""Arguments that a class needs of its config, whatever the architecture."""

from __future__ import annotations

from typing import Any

from modelmuster.records import Applied, Architecture

DECODER_REASON = "The class is the architecture's causal one; its attention is causal only with this."


def class_arguments(
    architecture: Architecture, class_name: str, config: Any, arguments: dict[str, Any]
) -> tuple[Applied, ...]:
    """Write what the class needs into the arguments, in place, and say so.

    `BertLMHeadModel` and its like share a config with a masked language model, and want `is_decoder`.
    """
    tasks = {entry.name: set(entry.tasks) for entry in architecture.model_classes}
    causal = "CAUSAL_LM" in tasks.get(class_name, ()) and "MASKED_LM" not in tasks[class_name]
    masked_too = any("MASKED_LM" in names for names in tasks.values())
    if causal and masked_too and vars(config).get("is_decoder") is False:
        arguments["is_decoder"] = True
        return (Applied(rule="causal-class", field="is_decoder", before=False, after=True, reason=DECODER_REASON),)
    return ()
