"""Calls of the session's own PyTorch module, for checks that need more of it than a forward pass by its inputs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from modelmuster.contracts import Inputs, Outputs, Trial
from modelmuster.numerics.precision import deep_copy
from modelmuster.numerics.seeding import FORWARD_SEED, seed_forward
from modelmuster.numerics.tensors import dtype_named, flatten, to_torch
from modelmuster.records import Stage


def arguments(trial: Trial, inputs: Inputs) -> dict[str, Any]:
    """The inputs as tensors of the trial's dtype, where the module lies."""
    parameter = next(iter(trial.module.parameters()), None)
    return to_torch(inputs, dtype_named(trial.dtype), parameter.device if parameter is not None else None)


def call(trial: Trial, inputs: Inputs, *, seed: int = FORWARD_SEED, **further: Any) -> Any:
    """What the module returns, without gradients; `further` arguments are handed on as they are.

    A copy is asked for hidden states and maps: the hooks that transformers installs for them stay, and once installed
    twice, in a tower and again from above, they change what later calls return.
    """
    trial.entering(Stage.RUN)
    module = deep_copy(trial.module) if any(name.startswith("output_") for name in further) else trial.module
    seed_forward(seed)
    with torch.no_grad():
        returned = module(**arguments(trial, inputs), **further)
    trial.entering(Stage.COMPARE)
    return returned


def refused(error: ValueError, flag: str) -> bool:
    """Whether an error says that the class cannot be asked for this, as backbones of timm do."""
    return flag.removeprefix("output_") in str(error)


def outputs(trial: Trial, inputs: Inputs, **further: Any) -> Outputs:
    """The tensors that the module returns, by name."""
    return flatten(call(trial, inputs, **further))


def accepts(trial: Trial, name: str) -> bool:
    """Whether `forward` has a parameter of this name."""
    return name in inspect.signature(trial.module.forward).parameters


def word_table(module: Any) -> Any:
    """The input embeddings, or None for a class that names none."""
    try:
        return module.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None


@contextmanager
def attention_implementation(module: Any, implementation: str) -> Iterator[None]:
    """The module attends in this way in here; each part of it gets its own setting back.

    Parts may differ: a backbone of convolutions offers no fused attention, whatever the rest of the model does.
    """
    found = (getattr(part, "config", None) for part in module.modules())
    configs = {id(config): config for config in found if hasattr(config, _ATTENTION)}
    before = [(config, getattr(config, _ATTENTION, None)) for config in configs.values()]
    if getattr(module.config, _ATTENTION, None) != implementation:
        module.set_attn_implementation(implementation)
    try:
        yield
    finally:
        for config, setting in before:
            setattr(config, _ATTENTION, setting)


_ATTENTION = "_attn_implementation_internal"
"""Where transformers keeps the setting: its public property hands a change on to parts that do not support it."""
