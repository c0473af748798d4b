"""How large an error arithmetic in a dtype causes by itself, whatever runtime does it.

Stochastic arithmetic, as CADNA and Verrou do it: the module runs in the dtype, but every operation is computed in
float64 and its result rounded to the dtype's grid up or down at random. Values already on the grid stay as they are, so
masks, indices and copies are untouched. A few such runs, each compared with the float64 reference, tell how far a right
runtime may be off, and no kernel of any runtime has a part in it.

Sources: Jézéquel and Chesneaux, "CADNA: a library for estimating round-off error propagation" (2008); Févotte and
Lathuilière, "Verrou: a CESTAC evaluation without recompilation" (2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from modelmuster.contracts import Inputs, Outputs
from modelmuster.numerics.precision import in_dtype, plain_experts
from modelmuster.numerics.reference import run_float64
from modelmuster.numerics.rule import saturated
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import dtype_named, flatten, to_torch
from modelmuster.numerics.weight_rounding import rounded

DRAWS = 2
"""Runs with random rounding; their mean square is within a factor of about two of that of many."""

_EXACT = frozenset({
    "__contains__", "__get__", "__getitem__", "__len__", "__set__", "__setitem__",
    "argmax", "argsort", "broadcast_to", "cat", "chunk", "clone", "contiguous", "copy_", "detach", "dim", "dropout",
    "embedding", "expand", "expand_as", "fill_", "flatten", "flip", "full", "full_like", "gather", "index_select",
    "is_floating_point", "masked_fill", "masked_fill_", "movedim", "narrow", "new_ones", "new_zeros", "numel",
    "one_hot", "ones", "ones_like", "permute", "relu", "repeat", "repeat_interleave", "requires_grad_", "reshape",
    "roll", "size", "split", "squeeze", "stack", "swapaxes", "tile", "transpose", "type_as", "unbind",
    "unflatten", "unfold", "unsqueeze", "view", "view_as", "where", "zeros", "zeros_like",
})  # fmt: skip
"""Operations that round nothing. They need no list, since results on the grid are left alone; this one saves time."""

_RANDOM = frozenset({
    "bernoulli", "bernoulli_", "exponential_", "multinomial", "normal", "normal_", "poisson", "rand", "rand_like",
    "randn", "randn_like", "uniform_",
})  # fmt: skip
"""Operations that cannot be done twice, once in each precision."""

_SUMS = frozenset({
    "__matmul__", "__rmatmul__", "addmm", "avg_pool1d", "avg_pool2d", "baddbmm", "batch_norm", "bilinear", "bmm",
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cumsum", "einsum",
    "fft_fft", "fft_irfft", "fft_rfft", "group_norm", "gru", "instance_norm", "interpolate", "layer_norm", "linear",
    "lstm", "matmul", "mean", "mm", "multi_head_attention_forward", "rms_norm", "std", "sum", "var",
})  # fmt: skip
"""Operations that add many terms: float32 rounds each partial sum, narrower types are added up in float32."""

_ATTENTION = torch.nn.functional.scaled_dot_product_attention


def estimate(
    module: torch.nn.Module, inputs: Inputs, dtype: str, *, reference: Outputs | None = None, draws: int = DRAWS
) -> Mapping[str, float]:
    """Root-mean-square error of each output that arithmetic in `dtype` alone causes.

    For integer and boolean outputs, the share of elements that rounding alone changes. NaN for an output whose shape
    rounding alone changes; infinity for one that overflows the dtype where the reference is finite.

    Args:
        module: in float32, on the CPU; borrowed and given back as it was.
        inputs: arguments of the forward call.
        dtype: `float32`, `bfloat16` or `float16`; `int8` for weights of eight bits in exact arithmetic.
        reference: the float64 outputs for these inputs, if they are at hand.
        draws: runs with random rounding.
    """
    if reference is None:
        reference = run_float64(module, inputs)
    generator = torch.Generator().manual_seed(0)
    squares: dict[str, list[float]] = {name: [] for name in reference}
    for drawn in _draws(module, inputs, dtype, generator, draws):
        for name, exact in reference.items():
            if name in drawn:
                squares[name].append(_mean_square(exact.array, drawn[name].array, dtype))
    return {name: math.sqrt(sum(found) / len(found)) if found else math.nan for name, found in squares.items()}


def _draws(
    module: torch.nn.Module, inputs: Inputs, dtype: str, generator: torch.Generator, count: int
) -> Iterator[Outputs]:
    """Outputs of runs with random rounding: of every result, or of weights of eight bits."""
    if dtype == "int8":
        for _ in range(count):
            yield run_float64(rounded(module, generator), inputs)
        return
    wanted = dtype_named(dtype)
    copied = module if wanted is torch.float32 else in_dtype(module, wanted)
    with plain_experts(copied):
        for _ in range(count):
            with RandomRounding(wanted, generator):
                returned = call_seeded(copied, to_torch(inputs, wanted))
            yield flatten(returned)


def _mean_square(exact: np.ndarray, drawn: np.ndarray, dtype: str) -> float:
    if exact.shape != drawn.shape:
        return math.nan
    if exact.dtype.kind not in "fc":
        # Squared here because the caller takes the root: a share must come out as a share.
        return float(np.mean(exact != drawn)) ** 2 if exact.size else 0.0
    exact, drawn = saturated(exact, dtype), saturated(drawn, dtype)
    finite = np.isfinite(exact)
    if not finite.any():
        return 0.0
    error = np.abs(drawn[finite].astype(exact.dtype) - exact[finite])
    return float(np.mean(error**2)) if np.isfinite(error).all() else math.inf


class RandomRounding(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Computes each operation in float64 and rounds its result at random to the dtype it would have had.

    Casts to types narrower than `dtype` are raised to `dtype`: a float32 model that computes in bfloat16 inside is
    what the estimate must not excuse.
    """

    def __init__(self, dtype: torch.dtype, generator: torch.Generator) -> None:
        super().__init__()
        self._dtype, self._generator = dtype, generator
        self._raised = {
            narrow: dtype
            for narrow in (torch.float16, torch.bfloat16)
            if torch.finfo(narrow).eps > torch.finfo(dtype).eps
        }
        self._casts = {torch.Tensor.half: torch.float16, torch.Tensor.bfloat16: torch.bfloat16}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, with float64 inside where it computes."""
        kwargs = dict(kwargs or {})
        if func in self._casts and self._casts[func] in self._raised:
            return args[0].to(self._dtype)
        if self._raised and func is not torch.Tensor.view:
            args = tuple(self._raise(value) for value in args)
            kwargs = {name: self._raise(value) for name, value in kwargs.items()}
        if func is _ATTENTION:
            # Its inside computes much: the scores are rounded before they are exponentiated.
            with self:
                return _attention(*args, **kwargs)
        natural = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in _EXACT or name in _RANDOM or not _computed(natural, args, kwargs):
            return natural
        try:
            shaken = self._generator if name in _SUMS and _holds_float32(natural) else None
            exact = func(*_doubled(args, shaken), **_doubled(kwargs, shaken))
        except (RuntimeError, TypeError):
            # No float64 kernel: the operation's own rounding has to do.
            return natural
        if isinstance(natural, torch.Tensor):
            return self._rounded(exact, natural)
        return type(natural)(self._rounded(*pair) for pair in zip(exact, natural, strict=True))

    def _raise(self, value: Any) -> Any:
        return self._raised.get(value, value) if isinstance(value, torch.dtype) else value

    def _rounded(self, exact: Any, natural: Any) -> Any:
        """The exact result, up or down at random on the grid of the natural result's dtype."""
        if not isinstance(natural, torch.Tensor) or not natural.is_floating_point():
            return natural
        if exact.shape != natural.shape or natural.dtype is torch.float64:
            return exact if natural.dtype is torch.float64 else natural
        # A quarter of the grid's relative spacing is at most half a step: a value on the grid rounds back to itself.
        reach = torch.finfo(natural.dtype).eps / 4
        noise = torch.empty_like(exact).uniform_(-reach, reach, generator=self._generator)
        return (exact * (1 + noise)).to(natural.dtype)


def _computed(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether this is a new floating-point tensor, no alias of an argument: those must stay aliases."""
    made = result if isinstance(result, tuple) else (result,)
    tensors = [value for value in made if isinstance(value, torch.Tensor)]
    if not any(tensor.is_floating_point() for tensor in tensors):
        return False
    given = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
    if not given or "out" in kwargs:
        return False
    known = {tensor.untyped_storage().data_ptr() for tensor in given if tensor.layout is torch.strided}
    return all(
        tensor.layout is torch.strided and tensor.untyped_storage().data_ptr() not in known for tensor in tensors
    )


def _holds_float32(result: Any) -> bool:
    made = result if isinstance(result, tuple) else (result,)
    return any(isinstance(value, torch.Tensor) and value.dtype is torch.float32 for value in made)


def _doubled(value: Any, shaken: torch.Generator | None = None) -> Any:
    """The arguments in float64; with a generator, each number off by up to half of float32's step.

    An error in every factor is an error in every product, which stands for the rounding of the partial sums.
    """
    if isinstance(value, torch.Tensor):
        if not value.is_floating_point():
            return value
        doubled = value.double()
        if shaken is None or doubled.layout is not torch.strided:
            return doubled
        reach = torch.finfo(torch.float32).eps / 2
        return doubled * (1 + torch.empty_like(doubled).uniform_(-reach, reach, generator=shaken))
    if isinstance(value, torch.dtype):
        return torch.float64 if value.is_floating_point else value
    if isinstance(value, tuple | list):
        return type(value)(_doubled(member, shaken) for member in value)
    if isinstance(value, dict):
        return {name: _doubled(member, shaken) for name, member in value.items()}
    return value


def _attention(  # noqa: PLR0917 - torch's own signature
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,  # noqa: ARG001 - models in eval mode pass zero
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """`scaled_dot_product_attention` in single operations, after the definition in torch's documentation."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    scores = torch.matmul(query, key.transpose(-2, -1)) * (scale or query.shape[-1] ** -0.5)
    if is_causal:
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~allowed, -torch.inf)
    elif attn_mask is not None and attn_mask.dtype is torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    weights = torch.softmax(scores, -1)
    if attn_mask is not None and attn_mask.dtype is torch.bool:
        # Rows without any allowed key are zeros, as torch's kernels give them, not NaN.
        weights = weights.masked_fill(~attn_mask.any(-1, keepdim=True), 0.0)
    return torch.matmul(weights, value)
