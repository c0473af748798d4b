"""An encoder-decoder: the decoder looks back and at the encoder, the encoder's padding is not seen."""

from __future__ import annotations

import numpy as np

from modelmuster.checks import causality
from modelmuster.checks.differences import influence, noise_floor, same
from modelmuster.checks.padding import HIDDEN, masked
from modelmuster.checks.question import Question, failed, passed
from modelmuster.checks.texts import replaced, text_only
from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Family, Finding, Outcome

_DECODED = ("logits", "last_hidden_state")


class EncoderDecoder(Question):
    """Three questions with one answer: causality, influence, padding."""

    name = "encoder_decoder"
    question = "Does the decoder look only back, and at all of the encoder but its padding?"
    families = frozenset({Family.ENCODER_DECODER})

    def applies(self, trial: Trial) -> str | None:
        """Text in, text out."""
        return text_only(trial) or text_only(trial, "decoder_input_ids")

    def run(self, trial: Trial) -> Finding:
        """Tolerances as in causality and padding."""
        causal = causality.ask(trial, "decoder_input_ids")
        if causal.outcome is not Outcome.PASS:
            return causal
        figures = dict(causal.figures)
        before = _decoded(trial.baseline())
        change, most = influence(before, _decoded(trial.run(replaced(trial, slice(None)))), trial.dtype)
        figures["encoder_influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(f"other tokens for the encoder change {most} by {change:.1e} only", figures)
        if masked(trial) is None:
            wrong = _padding(trial, figures)
            if wrong:
                return failed(wrong, figures)
        return passed(figures)


def _padding(trial: Trial, figures: dict[str, float | int | str | bool | None]) -> str | None:
    mask = np.ones_like(trial.inputs["attention_mask"])
    mask[:, -HIDDEN:] = 0
    first = trial.run({**trial.inputs, "attention_mask": mask})
    second = trial.run({**replaced(trial, slice(-HIDDEN, None)), "attention_mask": mask})
    compared = same(trial, _decoded(first), _decoded(second))
    size = compared.outputs[compared.worst].relative_rmse
    figures["encoder_padding.relative_rmse"] = size
    if compared.verdict not in {Verdict.PASS, Verdict.UNJUDGED}:
        return f"other tokens under the encoder's mask change {compared.worst} by {size:.1e} of its size"
    return None


def _decoded(outputs: Outputs) -> dict[str, Output]:
    for name in _DECODED:
        if name in outputs:
            return {name: outputs[name]}
    return dict(outputs)
