"""The model that inputs are made for: its `forward`, its sizes, and the arguments that it accepts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import torch

from modelmuster.recipes.inputs.draw import Draw
from modelmuster.recipes.inputs.sizes import Sizes
from modelmuster.records import Architecture, Modality


def parameters_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The named parameters of a function or bound method, without `self`, `*args` and `**kwargs`."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters
    return {name: each for name, each in parameters.items() if name != "self" and each.kind not in variadic}


class Callee:
    """A model with what is known about calling it.

    Args:
        module: The model.
        architecture: What it is an instance of.
        seed: Determines every value.
        apart: Modalities that it refuses in one call with any but a text.
    """

    def __init__(
        self, module: torch.nn.Module, architecture: Architecture, seed: int, apart: Collection[Modality] = ()
    ) -> None:
        self.module = module
        self.architecture = architecture
        self.seed = seed
        self.apart = frozenset(apart)
        self.sizes = Sizes(module)

    @property
    def config(self) -> Any:
        """The model's config."""
        return self.sizes.config

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Parameters of `forward` by name, and those that it passes on to the part that takes in images."""
        own = parameters_of(self.module.forward)
        if Modality.IMAGE in self.architecture.modalities and not own.keys() & {"pixel_values", "pixel_values_videos"}:
            own |= {name: each for name, each in self._passed_on().items() if name not in own}
        return own

    def _passed_on(self) -> dict[str, inspect.Parameter]:
        """Pixels and what comes with them, where the encoder of the inner model takes them and `forward` anything."""
        forward = inspect.signature(self.module.forward).parameters.values()
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in forward):
            return {}
        encoder = getattr(getattr(self.module, "model", None), "encoder", None)
        taken = parameters_of(encoder.forward) if isinstance(encoder, torch.nn.Module) else {}
        return {name: each for name, each in taken.items() if name.startswith(("pixel_", "image_"))}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Parameters of `forward` without a default."""
        return tuple(name for name, each in self.parameters.items() if each.default is inspect.Parameter.empty)

    @cached_property
    def tasks(self) -> frozenset[str]:
        """The auto-mappings that list the model's class."""
        name = type(self.module).__name__
        return frozenset(task for each in self.architecture.model_classes if each.name == name for task in each.tasks)

    def takes(self, *names: str) -> bool:
        """Whether `forward` names any of these parameters."""
        return any(name in self.parameters for name in names)

    def first(self, *names: str) -> str | None:
        """The first of these parameters that `forward` names."""
        return next((name for name in names if name in self.parameters), None)

    def draw(self, stream: str = "") -> Draw:
        """A fresh source of values: each build starts from the same ones."""
        return Draw(self.seed, stream)
