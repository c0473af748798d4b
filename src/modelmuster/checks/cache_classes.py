"""The other caches that transformers offers hold the same keys and values as the default one, in another layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from modelmuster.checks.decoding import astray, cache_of, fed, full_pass, keeps_keys_and_values
from modelmuster.checks.differences import influence
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import at
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Family, Finding, Trait

STEPS = (1, 1, 1)
"""Tokens fed after the prefix."""

FP8_STEP, FP8_LEAST = 2.0**-4, 2.0**-16
"""Half a step of a number with three bits behind the point, and of the smallest ones, as a share of the largest."""

FP8_FAR = 0.5
"""Far beyond what that rounding does to an answer, and below what other keys do."""

SPARE = 4
"""Places of a static cache beyond the last token, which must not be attended to."""


class CacheClasses(Question):
    """Decodes with a dynamic cache that knows the configuration (sliding layers included) and with a static one."""

    name = "cache_classes"
    question = "Do static, by configuration layered and eight-bit caches decode like a full forward pass?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models with caches of transformers' own classes."""
        reason = keeps_keys_and_values(trial)
        if reason is None and not getattr(trial.module, "_supports_default_dynamic_cache", lambda: False)():
            return "the class manages a cache of its own"
        return reason

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at every position; of eight-bit keys and values, their rounding."""
        tokens, figures, asked = trial.inputs["input_ids"], Figures(), 0
        for name, make in _caches(trial, tokens.shape[1]):
            own = Figures()
            try:
                wrong = astray(trial, tokens, (tokens.shape[1] - sum(STEPS), *STEPS), own, cache=make())
            except LookupError as reason:
                return not_applicable(str(reason))
            figures |= {f"{name}.{figure}": value for figure, value in own.items()}
            if wrong:
                return failed(f"{name} cache: {wrong}", figures)
            asked += 1
        if asked > 1 and (wrong := _rounded_wrongly(trial, tokens, figures)):
            return failed(wrong, figures)
        return passed(figures) if asked else not_applicable("the class supports no cache but its default")


def _rounded_wrongly(trial: Trial, tokens: np.ndarray, figures: Figures) -> str | None:
    """A cache of eight-bit numbers that holds other keys and values, or leads elsewhere, than its rounding explains.

    The other quantised caches need packages of their own.
    """
    import transformers

    if not hasattr(transformers.cache_utils, "Fp8QuantizedLayer"):
        return None
    prefix, last = tokens[:, :-1], tokens[:, -1:]
    try:
        empty = transformers.QuantizedCache(backend="fp8", config=trial.module.config)
    except ValueError as refusal:
        figures["fp8.refused"] = str(refusal)
        return None
    rounded = cache_of(fed(trial, prefix, empty))
    exact = cache_of(fed(trial, prefix, transformers.DynamicCache(config=trial.module.config)))
    for index, (layer, kept) in enumerate(zip(rounded.layers, exact.layers, strict=True)):
        if not hasattr(layer, "_quantized_keys"):
            continue
        for name in ("keys", "values"):
            wanted = getattr(kept, name)
            held = layer._dequantize(getattr(layer, f"_quantized_{name}"))  # noqa: SLF001 - it has no other reader
            if held.shape != wanted.shape or bool(
                ((held - wanted).abs() > FP8_STEP * wanted.abs() + FP8_LEAST * wanted.abs().max()).any()
            ):
                return f"fp8 cache: the {name} of layer {index} are not those that were written, rounded"
    length = tokens.shape[1]
    plain = at(full_pass(trial, tokens), slice(length - 1, None), length)
    change, most = influence(plain, at(flatten(fed(trial, last, rounded)), slice(None), 1), trial.dtype)
    figures["fp8.relative_rmse"] = change
    return f"fp8 cache: {most} is off by {change:.1e} of its size" if change > FP8_FAR else None


def _caches(trial: Trial, length: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    from transformers import DynamicCache, StaticCache

    config = trial.module.config
    yield "dynamic", lambda: DynamicCache(config=config)
    # A class that cannot be compiled, or that carries a state, does not promise to take fixed sizes.
    static = getattr(trial.module, "_can_compile_fullgraph", False) or Trait.MIXTURE_OF_EXPERTS in (
        trial.architecture.traits
    )
    if static and Trait.STATE_SPACE not in trial.architecture.traits:
        yield "static", lambda: StaticCache(config=config, max_cache_len=length + SPARE)
