"""A text is more than a bag of words: where a token stands, a mask token included, must matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelmuster.checks.differences import influence, noise_floor
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.checks.texts import NO_TOKENS, at, text_only
from modelmuster.contracts import Output, Trial
from modelmuster.records import Family, Finding

_DECODED = ("logits", "last_hidden_state")


class TokenOrder(Question):
    """Reverses every row; without positions, the answers would merely be reversed too."""

    name = "token_order"
    question = "Does it matter where in its row a token stands?"
    families = frozenset({Family.ENCODER_ONLY, Family.ENCODER_DECODER})

    def applies(self, trial: Trial) -> str | None:
        """Models that are fed text alone; a decoder's mask tells it the order anyway."""
        return text_only(trial)

    def run(self, trial: Trial) -> Finding:
        """More than the floor of the rule."""
        tokens = trial.inputs["input_ids"]
        length = tokens.shape[1]
        before, after = trial.baseline(), trial.run(_reversed(trial.inputs, tokens.shape))
        if trial.architecture.family is Family.ENCODER_DECODER:
            first, second = ({name: out for name, out in outs.items() if name in _DECODED} for outs in (before, after))
        else:
            first = at(before, slice(None), length)
            second = {
                name: Output(out.array[:, ::-1], out.dtype) for name, out in at(after, slice(None), length).items()
            }
        if not first:
            return not_applicable(NO_TOKENS)
        change, most = influence(first, second, trial.dtype)
        figures = {"influence": change}
        if change <= noise_floor(trial.dtype):
            return failed(
                f"with its rows reversed, {most} is merely reversed too (up to {change:.1e}): positions do not matter",
                figures,
            )
        return passed(figures)


def _reversed(inputs: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """Everything that belongs to single tokens of the encoder backwards, their positions apart."""
    return {
        name: value[:, ::-1].copy()
        if isinstance(value, np.ndarray) and value.shape[:2] == shape and not name.startswith(("decoder", "position"))
        else value
        for name, value in inputs.items()
    }
