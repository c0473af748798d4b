"""The other caches that transformers offers hold the same keys and values as the default one, in another layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from modelmuster.checks.decoding import astray, keeps_keys_and_values
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding, Trait

STEPS = (1, 1, 1)
"""Tokens fed after the prefix."""

SPARE = 4
"""Places of a static cache beyond the last token, which must not be attended to."""


class CacheClasses(Question):
    """Decodes with a dynamic cache that knows the configuration (sliding layers included) and with a static one."""

    name = "cache_classes"
    question = "Do the static cache and the one with layers by configuration decode like a full forward pass?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models with caches of transformers' own classes."""
        reason = keeps_keys_and_values(trial)
        if reason is None and not getattr(trial.module, "_supports_default_dynamic_cache", lambda: False)():
            return "the class manages a cache of its own"
        return reason

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at every position; a quantised cache is lossy by design and not asked."""
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
        return passed(figures) if asked else not_applicable("the class supports no cache but its default")


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
