"""Embeddings may be handed in instead of ids; the table's own rows must then give the same answers."""

from __future__ import annotations

import torch

from modelmuster.checks.differences import agrees, off, same
from modelmuster.checks.live import accepts, arguments, outputs, word_table
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.checks.texts import text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding


class InputsEmbeds(Question):
    """Looks the ids up in the model's own table and hands in what was found."""

    name = "inputs_embeds"
    question = "Are embeddings that are handed in answered like the ids that they belong to?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that take either."""
        if not accepts(trial, "inputs_embeds") or word_table(trial.module) is None:
            return "forward takes no inputs_embeds, or the class names no table of words"
        return text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance."""
        given = arguments(trial, trial.inputs)
        table = word_table(trial.module)
        with torch.no_grad():
            given["inputs_embeds"] = table(given.pop("input_ids"))
        if not isinstance(given["inputs_embeds"], torch.Tensor):
            return not_applicable("its table returns more than embeddings")
        got = flatten(call_seeded(trial.module, given))
        compared = same(trial, outputs(trial, trial.inputs), got)
        if agrees(compared):
            return passed(compared.figures())
        return failed(f"with embeddings instead of ids, {off(compared)}", compared.figures())
