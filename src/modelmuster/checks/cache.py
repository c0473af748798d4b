"""Decoding with a cache is an optimisation: step by step it must give what one full pass gives."""

from __future__ import annotations

from typing import Any

from modelmuster.checks.differences import same
from modelmuster.checks.live import accepts, call
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Family, Finding

CACHES = ("past_key_values", "cache_params", "state", "mems")
"""Names under which transformers' models return their cache and take it back."""

STEPS = (2, 1, 1)
"""Tokens fed in each step after the prefix: two at once, then single ones."""


class CachedDecoding(Question):
    """Feeds a prefix, then the rest in steps, without positions and masks that would hide a wrong count."""

    name = "cache"
    question = "Does decoding with the cache, step by step, give what a full forward pass gives?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed text alone and can keep a cache."""
        reason = text_only(trial)
        if reason is None and not _cache_argument(trial):
            return "forward takes no cache"
        return reason

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at every position."""
        tokens = trial.inputs["input_ids"]
        length, figures = tokens.shape[1], Figures()
        full = flatten(call(trial, {"input_ids": tokens}, use_cache=False))
        start = length - sum(STEPS)
        returned = call(trial, {"input_ids": tokens[:, :start]}, use_cache=True)
        for step, width in enumerate((0, *STEPS)):
            place = slice(start, start + width) if width else slice(None, start)
            if width:
                name = _cache_argument(trial)
                cache = _cache(returned)
                if cache is None:
                    return not_applicable("returns no cache, though it takes one")
                returned = call(trial, {"input_ids": tokens[:, place]}, use_cache=True, **{name: cache})
                start += width
            expected = at(full, place, length)
            if not expected:
                return not_applicable(NO_TOKENS)
            compared = same(trial, expected, at(flatten(returned), slice(None), width or start))
            size = compared.outputs[compared.worst].relative_rmse
            figures[f"step_{step}.relative_rmse"] = size
            if compared.verdict not in {Verdict.PASS, Verdict.UNJUDGED}:
                return failed(
                    f"tokens {place.start or 0} to {place.stop - 1}, fed on top of the cache, give a {compared.worst} "
                    f"that is off by {size:.1e} of its size from the full pass",
                    figures,
                )
        return passed(figures)


def _cache_argument(trial: Trial) -> str:
    return next((name for name in CACHES if accepts(trial, name)), "")


def _cache(returned: Any) -> Any:
    return next((found for name in CACHES if (found := getattr(returned, name, None)) is not None), None)
