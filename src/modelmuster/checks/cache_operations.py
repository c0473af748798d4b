"""What generation does to a cache between steps: beams change places, rejected candidates are cut off."""

from __future__ import annotations

from typing import Any

import torch

from modelmuster.checks.decoding import cache_of, fed, full_pass, keeps_keys_and_values
from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Family, Finding, Trait

AHEAD = 3
"""Tokens that are decoded after the operation."""

CUT = 2
"""Tokens that are cut off the cache again."""


class CacheOperations(Question):
    """Reverses the rows of a cache and goes on with the rows reversed; cuts tokens off and feeds them again."""

    name = "cache_operations"
    question = "Does a cache whose rows were reordered, or whose last tokens were cut off, lead to the right answers?"
    families = frozenset({Family.DECODER_ONLY})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models with caches of transformers' own classes."""
        return keeps_keys_and_values(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at the tokens after the operation."""
        tokens, figures = trial.inputs["input_ids"], Figures()
        length = tokens.shape[1]
        # A recurrent state takes one token at a time by contract.
        ahead = 1 if Trait.STATE_SPACE in trial.architecture.traits else AHEAD
        start = length - ahead
        if not at(full_pass(trial, tokens), slice(start, None), length):
            return not_applicable(NO_TOKENS)
        order = list(range(len(tokens)))[::-1]
        for name, rows, argument in (("reorder_cache", order, torch.tensor(order)), ("crop", order[::-1], -CUT)):
            cut = CUT if name == "crop" else 0
            cache = cache_of(fed(trial, tokens[:, : start + cut]))
            if not hasattr(cache, name):
                return not_applicable(f"a {type(cache).__name__} has no {name}")
            if name == "crop" and not _croppable(trial, cache):
                continue
            getattr(cache, name)(argument)
            after = at(flatten(fed(trial, tokens[rows][:, start:], cache)), slice(None), ahead)
            compared = same(trial, at(full_pass(trial, tokens[rows]), slice(start, None), length), after)
            figures[f"{name}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"after {name}, {off(compared)} from the full pass", figures)
        return passed(figures)


def _croppable(trial: Trial, cache: Any) -> bool:
    """A state or a window that has moved on cannot be moved back."""
    if {Trait.STATE_SPACE, Trait.SLIDING_WINDOW} & set(trial.architecture.traits):
        return False
    layers = getattr(cache, "layers", ())
    return bool(getattr(cache, "is_croppable", True)) and not any(getattr(part, "is_sliding", False) for part in layers)
