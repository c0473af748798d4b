"""How to build one: `prepare` makes a model and its inputs for a class of an architecture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from modelmuster.errors import CannotBuild
from modelmuster.records import Architecture, Scale, Stage

if TYPE_CHECKING:
    from modelmuster.recipes.subject import TorchSubject

__all__ = ["ignore", "prepare"]


def ignore(_stage: Stage) -> None:
    """Take no note of a stage."""


def prepare(
    architecture: Architecture,
    model_class: str,
    *,
    scale: Scale = Scale.TINY,
    seed: int = 0,
    entering: Callable[[Stage], None] = ignore,
    cache_dir: Path | None = None,
) -> TorchSubject:
    """Build a model with random weights and find inputs that it runs with.

    Args:
        architecture: the entry of the catalogue.
        model_class: one of its classes.
        scale: `tiny`, or `default` for the class's own size.
        seed: determines weights and inputs.
        entering: called before each stage, `build` and `inputs`, as often as the search goes to and fro.
        cache_dir: where the end of the search is remembered; None to search anew each time.

    Raises:
        CannotBuild: no config or model could be made, or it does not fit in memory.
        NoInputs: models were built, but no inputs made one run.
        Unavailable: a distribution that the class needs is not installed.
    """
    if scale is Scale.CHECKPOINT:
        raise CannotBuild("a checkpoint is prepared from its own folder, not from an architecture's class")
    from modelmuster.recipes.engine import find

    return find(architecture, model_class, scale=scale, seed=seed, entering=entering, cache_dir=cache_dir)
