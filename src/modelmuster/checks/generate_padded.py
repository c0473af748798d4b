"""A batch of prompts of different lengths is padded on the left; each must be continued as if it were alone."""

from __future__ import annotations

import numpy as np

from modelmuster.checks.differences import agrees, off
from modelmuster.checks.generation import compared_steps, generate, generates, logits_of
from modelmuster.checks.left_padding import WIDTH
from modelmuster.checks.padding import masked
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.checks.texts import pad_token, text_only
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Family, Finding, Trait


class GeneratePadded(Question):
    """Generates from the first row alone, and from a batch in which it is padded on the left."""

    name = "generate_padded"
    question = "Does generate() continue a prompt that is padded on the left as it continues it alone?"
    families = frozenset({Family.DECODER_ONLY})
    traits = frozenset({Trait.GENERATIVE})
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Text models that take a mask."""
        return generates(trial) or text_only(trial) or masked(trial)

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance for the logits of every step, up to the first tie."""
        tokens = trial.inputs["input_ids"]
        if len(tokens) < 2:
            return not_applicable("fed one row only")
        short = tokens[:1, WIDTH:]
        batch, mask = tokens[:2].copy(), np.ones_like(tokens[:2])
        batch[0, :WIDTH], mask[0, :WIDTH] = pad_token(trial), 0
        alone = logits_of(generate(trial, {"input_ids": short, "attention_mask": np.ones_like(short)}))
        beside = logits_of(generate(trial, {"input_ids": batch, "attention_mask": mask}))
        if alone is None or beside is None:
            return not_applicable("generate() returns no logits")
        compared, steps = compared_steps(trial, alone, beside[:, :1])
        figures = {**compared.figures(), "steps": steps}
        return passed(figures) if agrees(compared) else failed(f"padded on the left, {off(compared)}", figures)
