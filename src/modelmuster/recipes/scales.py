"""Models at the size of their class's own defaults: only where their weights fit in memory."""

from __future__ import annotations

from typing import Any

import psutil

from modelmuster.errors import CannotBuild
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


def refuse_if_too_large(model_class: Any, config: Any) -> None:
    """Count parameters on the meta device before any memory is asked for.

    Raises:
        CannotBuild: the weights, twice, are more than the available memory.
    """
    count = count_parameters(model_class, config)
    needed, available = count * BYTES_PER_PARAMETER * COPIES, psutil.virtual_memory().available
    if needed > available:
        raise CannotBuild(
            f"{model_class.__name__} has {count / 1e9:.2f} billion parameters at its default size: it needs "
            f"{needed / 2**30:.1f} GiB, and {available / 2**30:.1f} GiB are available"
        )
