"""Weights: drawn again after construction, so that every parameter matters and the same seed gives the same model.

Stock initialisation hides faults. Matrices of spread 0.02 barely move a residual stream, and tables, gates and biases
start at zero: of 54 seeded faults, 12 moved an output by less than 1e-2. Here matrices get about three times the
library's spread, bounded by their fan-in so that deep stacks stay finite, and nothing stays constant.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import torch
from torch import nn

VERSION = 5
"""Part of every recipe's hash; raised whenever the weights of some model change."""

DRAW = 2
"""Part of every parameter's seed; raising it draws all weights of all models anew."""

SPREAD_FACTOR = 3.0
"""Times the library's own standard deviation."""

LEAST_GAIN, MOST_GAIN = 0.48, 1.0
"""Bounds of standard deviation × √fan-in: below, signals die; above, deep stacks without normalisation overflow.
0.48 is three times 0.02 at the tiny width of 64."""

JITTER = 0.1
"""Spread of what is added to constants: absolute for zeros, relative for others."""

SMALL = 0.05
"""Constants smaller than this, such as layer scales of 1e-6, switch their branch off and are lifted to `JITTER`."""

STRUCTURED_JITTER = 0.02
"""Relative spread of what is added to vectors and tables with a formula behind them (state-space decays)."""

RECTIFIED_GAIN = math.sqrt(2)
"""Gain of convolutions that nothing normalises: a rectifier halves what it is given."""

NORMALISED_VARIANCE = 0.5
"""Running variance of batch normalisation: what a rectifier leaves of a unit variance."""

_NORMS = (nn.modules.batchnorm._BatchNorm,)  # noqa: SLF001 - the public classes share no other base


def fill(module: nn.Module, seed: int) -> None:
    """Draw every parameter again, in place; tied parameters stay tied, frozen tables stay as they are.

    The values depend on the seed, on each parameter's name and on its constructed value, not on their order.

    Args:
        module: a constructed model in float32.
        seed: the recipe's seed.
    """
    followed, experts = _normalised_convolutions(module), _stacked_experts(module)
    maps = _map_convolutions(module)
    scales = {id(m.weight) for m in module.modules() if isinstance(m, _NORMS) and m.weight is not None}
    embeddings = {id(m.weight): m.padding_idx for m in module.modules() if isinstance(m, nn.Embedding)}
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.is_floating_point() and parameter.numel():
                draw = _generator(seed, name)
                if id(parameter) in embeddings and parameter.requires_grad:
                    _fill_table(parameter, embeddings[id(parameter)], draw)
                elif id(parameter) in experts:
                    # Each by itself: the inputs of one are not those of all.
                    parameter.copy_(_normal(parameter, draw) * (LEAST_GAIN / math.sqrt(max(parameter.shape[-2:]))))
                elif id(parameter) in followed:
                    parameter.copy_(_normal(parameter, draw) * (MOST_GAIN / math.sqrt(_fan_in(parameter))))
                elif id(parameter) in maps and parameter.requires_grad:
                    parameter.copy_(_normal(parameter, draw) * (RECTIFIED_GAIN / math.sqrt(maps[id(parameter)])))
                elif id(parameter) in scales:
                    # Some classes draw them around zero, as if they were matrices: that would switch the layer off.
                    parameter.copy_(1 + JITTER * _normal(parameter, draw))
                elif parameter.requires_grad or not torch.isfinite(parameter).all():
                    _fill_parameter(name, parameter, draw)
        for name, buffer, owner in _float_buffers(module):
            _fill_buffer(name, buffer, owner, _generator(seed, name))
        for name, owner in module.named_modules():
            _fill_routes(owner, _generator(seed, name))


def _fill_routes(router: nn.Module, draw: torch.Generator) -> None:
    """Give every word experts of its own where a table says which it goes to, all zeros until a checkpoint fills it."""
    for table in router.buffers(recurse=False):
        experts = getattr(router, "num_experts", 0)
        if table.dim() == 2 and table.dtype == torch.int64 and not table.any() and experts >= table.shape[1]:
            first = torch.randint(experts, (table.shape[0], 1), generator=draw)
            table.copy_((first + torch.arange(table.shape[1])) % experts)


def _stacked_experts(module: nn.Module) -> set[int]:
    """Matrices of all experts of a mixture in one parameter, by id."""
    return {
        id(value)
        for owner in module.modules()
        for value in owner.parameters(recurse=False)
        if value.dim() == 3 and value.shape[0] == getattr(owner, "num_experts", 0)
    }


def _normalised_convolutions(module: nn.Module) -> set[int]:
    """Weights of convolutions that stand beside a batch normalisation, by id.

    In training it would make up for any gain; with constant statistics a gain below one, layer after layer, leaves
    nothing of the image but rounding errors.
    """
    found = set()
    for block in module.modules():
        children = list(block.children())
        if any(isinstance(child, _NORMS) or hasattr(child, "running_var") for child in children):
            found |= {id(child.weight) for child in children if isinstance(child, nn.modules.conv._ConvNd)}  # noqa: SLF001
    return found


def _map_convolutions(module: nn.Module) -> dict[int, float]:
    """Weights of all other convolutions over the neighbours in a map, by id, with the number of inputs to one output.

    Nothing makes up for a loss between them: a head of six that halve what tells images apart answers with its biases.
    """
    found = {}
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d) and math.prod(part.kernel_size) > 1:
            inputs = part.in_channels // part.groups * math.prod(part.kernel_size)
            found[id(part.weight)] = inputs / (math.prod(part.stride) if part.transposed else 1)
    return found


def _fill_table(table: torch.Tensor, padding: int | None, draw: torch.Generator) -> None:
    spread = _spread(table)
    table.copy_(_normal(table, draw) * min(max(SPREAD_FACTOR * spread, SPREAD_FACTOR * 0.02), max(1.0, spread)))
    if padding is not None:
        table[padding] = 0


def _fill_parameter(name: str, value: torch.Tensor, draw: torch.Generator) -> None:
    noise = _normal(value, draw)
    if not torch.isfinite(value).all():
        # Memory that the modelling code allocates and never initialises.
        value.zero_()
    if name.endswith(("weight_g", "parametrizations.weight.original0")):
        value.copy_(1 + JITTER * noise)
    elif bool((value == value.flatten()[0]).all()):
        _fill_constant(value, noise)
    elif _is_structured(value):
        value.mul_(1 + STRUCTURED_JITTER * noise)
    else:
        fan_in = _fan_in(value)
        gain = SPREAD_FACTOR * _spread(value) * math.sqrt(fan_in)
        value.copy_(noise * (min(max(gain, LEAST_GAIN), MOST_GAIN) / math.sqrt(fan_in)))


def _fill_constant(value: torch.Tensor, noise: torch.Tensor) -> None:
    constant = float(value.flatten()[0])
    if constant == 0 and value.numel() > 1:
        bound = MOST_GAIN / math.sqrt(_fan_in(value)) if value.dim() > 1 else JITTER
        value.copy_(min(JITTER, bound) * noise)
    elif abs(constant) < SMALL:
        value.copy_(JITTER * (1 + JITTER * noise))
    else:
        value.copy_(constant * (1 + JITTER * noise))


def _fill_buffer(name: str, buffer: torch.Tensor, owner: nn.Module, draw: torch.Generator) -> None:
    leaf = name.rpartition(".")[2]
    if isinstance(owner, _NORMS) or hasattr(owner, "running_var"):
        noise = _normal(buffer, draw)
        if leaf in {"running_mean", "bias"}:
            buffer.copy_(JITTER * noise)
        elif leaf == "running_var":
            buffer.copy_(NORMALISED_VARIANCE * (1 + JITTER * noise).abs())
        elif leaf == "weight":
            # Frozen ones keep it as a buffer, zero at the end of a block, which would switch the block off.
            buffer.copy_(1 + JITTER * noise)
    elif not torch.isfinite(buffer).all() and bool(torch.isnan(buffer).all()):
        buffer.zero_()
    elif buffer.dim() >= 2 and buffer.numel() > 1 and bool((buffer == 0).all()):
        # Codebooks that training would fill.
        buffer.copy_(_normal(buffer, draw))


def _float_buffers(module: nn.Module) -> Iterator[tuple[str, torch.Tensor, nn.Module]]:
    """Persistent floating-point buffers with their dotted names and owners; each tensor once."""
    seen: set[int] = set()
    for prefix, owner in module.named_modules():
        for name, buffer in owner.named_buffers(prefix=prefix, recurse=False):
            leaf = name.rpartition(".")[2]
            persistent = leaf not in owner._non_persistent_buffers_set  # noqa: SLF001 - there is no public way to ask
            if persistent and buffer.is_floating_point() and buffer.numel() and id(buffer) not in seen:
                seen.add(id(buffer))
                yield name, buffer, owner


def _is_structured(value: torch.Tensor) -> bool:
    """Whether a formula made it: a vector that is not constant, or a table whose rows or columns are all equal."""
    shape = [size for size in value.shape if size > 1]
    if len(shape) < 2:
        return True
    rows = value.reshape(-1, value.shape[-1])
    return bool((rows == rows[:1]).all()) or bool((rows == rows[:, :1]).all())


def _fan_in(value: torch.Tensor) -> int:
    """Inputs to one output: of `[out, in, *kernel]`; for stacked matrices the larger of the last two dimensions."""
    if value.dim() == 3 and value.shape[-1] > 32 and value.shape[-2] > 32:
        return int(max(value.shape[-1], value.shape[-2]))
    return max(1, int(value.numel()) // int(value.shape[0]))


def _spread(value: torch.Tensor) -> float:
    finite = value[torch.isfinite(value)].float()
    return float(finite.std(correction=0)) if finite.numel() else 0.0


def _normal(like: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    return torch.randn(like.shape, generator=draw, dtype=torch.float32).to(like.dtype)


def _generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{DRAW}:{seed}:{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
