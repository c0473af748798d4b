"""Decoding by hand: tokens fed in pieces on top of a cache, each piece compared with the full pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import accepts, call
from modelmuster.checks.question import Figures, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, text_only
from modelmuster.contracts import Outputs, Trial
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding

CACHES = ("past_key_values", "cache_params", "state", "mems")
"""Names under which transformers' models return their cache and take it back."""


def decodes(trial: Trial) -> str | None:
    """Why the model cannot be fed token by token, or None."""
    reason = text_only(trial)
    if reason is None and not cache_argument(trial):
        return "forward takes no cache"
    return reason


def keeps_keys_and_values(trial: Trial) -> str | None:
    """Why the model does not decode with one of transformers' own caches, or None."""
    reason = decodes(trial)
    if reason is None and cache_argument(trial) != "past_key_values":
        return "keeps a state of its own instead of past_key_values"
    return reason


def judged(trial: Trial, tokens: np.ndarray, widths: Sequence[int]) -> Finding:
    """Whether tokens fed in pieces of these widths get the answers of the full pass; see `astray`."""
    figures = Figures()
    try:
        wrong = astray(trial, tokens, widths, figures)
    except LookupError as reason:
        return not_applicable(str(reason))
    return failed(wrong, figures) if wrong else passed(figures)


def cache_argument(trial: Trial) -> str:
    """The name under which forward takes its cache; empty where it takes none."""
    return next((name for name in CACHES if accepts(trial, name)), "")


def cache_of(returned: Any) -> Any:
    """The cache that a call returned, or None."""
    return next((found for name in CACHES if (found := getattr(returned, name, None)) is not None), None)


def full_pass(trial: Trial, tokens: np.ndarray) -> Outputs:
    """What the model answers to all tokens at once, without a cache."""
    return flatten(call(trial, {"input_ids": tokens}, use_cache=False))


def fed(trial: Trial, tokens: np.ndarray, cache: Any = None) -> Any:
    """What the model returns for these tokens on top of a cache, without the positions and masks that hide errors."""
    given = {} if cache is None else {cache_argument(trial): cache}
    return call(trial, {"input_ids": tokens}, use_cache=True, **given)


def astray(
    trial: Trial, tokens: np.ndarray, widths: Sequence[int], figures: Figures, *, cache: Any = None
) -> str | None:
    """The first piece whose answers differ from those of the full pass, in words; None where all agree.

    Args:
        trial: of a model that `decodes`.
        tokens: batch × tokens.
        widths: tokens in each piece; together all of them.
        figures: where the error of each piece goes.
        cache: an empty cache to begin with; None for the model's own.

    Raises:
        LookupError: the model returns no cache or nothing that belongs to single tokens.
    """
    length, start, full = tokens.shape[1], 0, full_pass(trial, tokens)
    for step, width in enumerate(widths):
        place = slice(start, start + width)
        returned = fed(trial, tokens[:, place], cache)
        start += width
        cache = cache_of(returned)
        expected = at(full, place, length)
        if not expected or (cache is None and start < length):
            raise LookupError("returns no cache, though it takes one" if expected else NO_TOKENS)
        compared = same(trial, expected, at(flatten(returned), slice(None), width))
        figures[f"step_{step}.relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return f"tokens {place.start} to {place.stop - 1}, fed on top of the cache: {off(compared)}"
    return None
