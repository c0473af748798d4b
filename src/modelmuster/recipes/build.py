"""One attempt at building: arguments → config → module with weights, and one forward pass."""

from __future__ import annotations

import copy
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from modelmuster.nested import rebuilt
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.recipes import sessions, weights


def build_config(cls: Any, arguments: dict[str, Any]) -> Any:
    """The config; `arguments` are copied, because configs keep and change what they are given."""
    return cls(**copy.deepcopy(arguments))


def build_module(cls: Any, config: Any, seed: int) -> nn.Module:
    """The model with its weights, in eval mode, float32, on the CPU; the same for the same seed in every process."""
    torch.manual_seed(seed)
    with _uninitialised_memory_shows():
        module: nn.Module = cls(config)
    module.float()
    weights.fill(module, seed)
    sessions.attach(module)
    return module.eval()


class TooManyParameters(Exception):
    """Counting was stopped."""

    def __init__(self, parameters: int, tensors: int) -> None:
        super().__init__(f"more than {parameters} parameters in {tensors} tensors")
        self.parameters, self.tensors = parameters, tensors


def count_parameters(cls: Any, config: Any, *, most: int | None = None, most_tensors: int | None = None) -> int:
    """Number of parameters, tied ones once, without memory for them.

    Args:
        cls: the model class.
        config: what it is built from.
        most: stop as soon as there are more: a config may ask for more layers than could be made in a day.
        most_tensors: the same for the tensors that hold them.

    Raises:
        TooManyParameters: there are more.
    """
    seen: dict[int, nn.Parameter] = {}
    counted = 0

    def count(_module: nn.Module, _name: str, parameter: nn.Parameter | None) -> None:
        nonlocal counted
        if parameter is None or id(parameter) in seen:
            return
        seen[id(parameter)] = parameter
        counted += parameter.numel()
        if (most is not None and counted > most) or (most_tensors is not None and len(seen) > most_tensors):
            raise TooManyParameters(counted, len(seen))

    hook = register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            module: nn.Module = cls(config)
    finally:
        hook.remove()
    return sum(parameter.numel() for parameter in module.parameters())


def run_once(module: nn.Module, arguments: dict[str, Any]) -> None:
    """One eager forward pass that must return at least one tensor; the arguments are cloned.

    Raises:
        TypeError: nothing that came back is a tensor.
    """
    seed_forward()
    # Not `inference_mode`: what a module keeps of its first forward pass must not spoil later backward passes.
    with torch.no_grad():
        returned = module(**_cloned(arguments))
    if next(named_tensors(returned), None) is None:
        raise TypeError(f"forward returned no tensor, but {type(returned).__name__}")


def describe(error: BaseException) -> str:
    """Type, first line of the message, and the innermost place in a modelling file."""
    message = " ".join(str(error).split())
    text = f"{type(error).__name__}: {message[:300]}"
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if os.path.basename(frame.filename).startswith(("modeling_", "configuration_"))]  # noqa: PTH119
    if places:
        place = places[-1]
        text += f" ({os.path.basename(place.filename)}:{place.lineno}: {place.line})"  # noqa: PTH119
    return text


def _cloned(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else rebuilt(value, _cloned)


@contextmanager
def _uninitialised_memory_shows() -> Iterator[None]:
    """Fill `torch.empty` with NaN, so that parameters which modelling code forgets to initialise are found."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=before[0], warn_only=before[1])
