"""Models at the size of their class's own defaults: only where their weights fit in memory."""

from __future__ import annotations

from typing import Any

import psutil

from modelmuster.errors import TooLarge
from modelmuster.recipes.build import count_parameters
from modelmuster.recipes.shrink.draft import jsonable

BYTES_PER_PARAMETER = 4
COPIES = 2
"""The weights, and as much again for the copy that a runtime or the reference makes."""


def default_arguments(config: Any) -> dict[str, Any]:
    """The arguments that give the default config: none, or the sub-configs of a class that has no defaults."""
    try:
        type(config)()
    except Exception:  # noqa: BLE001 - a composite class that refuses to be built without its parts
        from transformers import PreTrainedConfig

        return {name: jsonable(value) for name, value in vars(config).items() if isinstance(value, PreTrainedConfig)}
    return {}


def most_parameters() -> int:
    """How many parameters fit in the memory that is available now."""
    return int(psutil.virtual_memory().available) // (BYTES_PER_PARAMETER * COPIES)


def gibibytes(parameters: int) -> str:
    """Memory that a model of that size needs."""
    return f"{parameters * BYTES_PER_PARAMETER * COPIES / 2**30:.1f} GiB"


def refuse_if_too_large(model_class: Any, config: Any) -> None:
    """Count parameters on the meta device before any memory is asked for.

    Raises:
        TooLarge: the weights, twice, are more than the available memory.
    """
    count, most = count_parameters(model_class, config), most_parameters()
    if count > most:
        raise TooLarge(
            f"{model_class.__name__} has {count / 1e9:.2f} billion parameters at its default size: it needs "
            f"{gibibytes(count)}, and {gibibytes(most)} are available"
        )
