"""Real weights: a local folder or a repository of the hub, as a subject like any other.

`described` reads a checkpoint's config without torch, so that it can be planned; `fetched` brings its files here;
`opened` builds it inside a cell. Everything that is wrong with a checkpoint but lets it be planned is raised by
`opened`, and so becomes the outcome of its cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelmuster.recipes.checkpoint.description import Description, architecture_of, class_of, described
from modelmuster.recipes.checkpoint.places import fetched
from modelmuster.records import Architecture, Stage

if TYPE_CHECKING:
    from modelmuster.recipes.subject import TorchSubject

__all__ = ["Description", "architecture_of", "class_of", "described", "fetched", "opened"]


def opened(
    architecture: Architecture,
    model_class: str,
    spec: str,
    *,
    trust_remote_code: bool,
    seed: int,
    entering: Callable[[Stage], None],
) -> TorchSubject:
    """Build a checkpoint's model with its own weights and inputs.

    Args:
        architecture: see `architecture_of`.
        model_class: the class to load it into.
        spec: what `--checkpoint` was given.
        trust_remote_code: whether Python code of the checkpoint may run.
        seed: determines inputs, where the checkpoint has no tokenizer or processor of its own to make them.
        entering: called before each stage.

    Raises:
        CannotBuild: its config, code or weights are refused, or do not fit together.
        TooLarge: its weights do not fit in memory.
        NoInputs: it was built, but no inputs made it run.
        Unavailable: a distribution is missing.
    """
    from modelmuster.recipes.checkpoint.opening import open_checkpoint

    return open_checkpoint(
        architecture, model_class, spec, trust_remote_code=trust_remote_code, seed=seed, entering=entering
    )
