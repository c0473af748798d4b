"""New words are added to a vocabulary; the old ones must keep their embeddings, their logits and their ties."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.live import arguments, outputs, word_table
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.checks.texts import text_only
from modelmuster.contracts import Capability, Output, Trial
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding

MORE = 3
"""Words that are added."""


class ResizeEmbeddings(Question):
    """Adds words to a copy, asks the old question again, and then one with a new word."""

    name = "resize_embeddings"
    question = "Do the old words keep their answers when the vocabulary grows, and can the new ones be used?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models with one table of words."""
        table = word_table(trial.module)
        if not isinstance(table, torch.nn.Embedding) or not hasattr(trial.module, "resize_token_embeddings"):
            return "has no single table of words"
        return text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance for the old answers, exact sizes."""
        before, figures = outputs(trial, trial.inputs), Figures()
        words = word_table(trial.module).num_embeddings
        module = copy.deepcopy(trial.module)
        resize = module.resize_token_embeddings
        settings = {"mean_resizing": False} if "mean_resizing" in inspect.signature(resize).parameters else {}
        try:
            resize(words + MORE, **settings)
        except NotImplementedError as refusal:
            return not_applicable(f"the class refuses: {refusal}")
        grown, head = word_table(module), module.get_output_embeddings()
        figures |= {"words_before": words, "words_after": grown.num_embeddings}
        if grown.num_embeddings != words + MORE:
            return failed(f"asked for {words + MORE} words, the table has {grown.num_embeddings}", figures)
        if _tied(trial.module) and not _tied(module):
            return failed("the tie between input and output embeddings is lost", figures)
        if head is not None and hasattr(head, "weight") and head.weight.shape[0] not in {words + MORE, words}:
            return failed(f"the output embeddings have {head.weight.shape[0]} words", figures)
        after = flatten(call_seeded(module, arguments(trial, trial.inputs)))
        compared = same(trial, before, {name: _old(output, before.get(name)) for name, output in after.items()})
        figures["relative_rmse"] = size_of(compared)
        if not agrees(compared):
            return failed(f"with {MORE} more words, {off(compared)}", figures)
        tokens = trial.inputs["input_ids"]
        tokens[:, -1] = words + MORE - 1
        made = flatten(call_seeded(module, arguments(trial, {**trial.inputs, "input_ids": tokens})))
        if any(output.array.dtype.kind == "f" and np.isnan(output.array).any() for output in made.values()):
            return failed("a new word gives answers that are not numbers", figures)
        return passed(figures)


def _tied(module: Any) -> bool:
    head = module.get_output_embeddings()
    return head is not None and getattr(head, "weight", None) is word_table(module).weight


def _old(output: Output, before: Output | None) -> Output:
    """The output without the new words' columns."""
    if before is None or output.array.ndim != before.array.ndim:
        return output
    if output.array.shape[-1] == before.array.shape[-1] + MORE:
        return Output(output.array[..., :-MORE], output.dtype)
    return output
