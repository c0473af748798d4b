"""An encoder-decoder: the decoder looks back and at the encoder, the encoder's padding is not seen."""

from __future__ import annotations

import numpy as np

from modelmuster.checks import causality
from modelmuster.checks.differences import influence, noise_floor, same
from modelmuster.checks.feeding import carriers, changed
from modelmuster.checks.padding import HIDDEN, masked
from modelmuster.checks.question import Question, failed, passed
from modelmuster.checks.texts import LEAST, replaced, text_only
from modelmuster.contracts import Output, Outputs, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Finding, Outcome, Trait

_DECODED = ("logits", "last_hidden_state")


class EncoderDecoder(Question):
    """Three questions with one answer: causality, influence, padding."""

    name = "encoder_decoder"
    question = "Does the decoder look only back, and at all of the encoder but its padding?"
    traits = frozenset({Trait.ENCODER_DECODER})

    def applies(self, trial: Trial) -> str | None:
        """Whatever goes in, tokens come out."""
        tokens = trial.inputs.get("decoder_input_ids")
        if not isinstance(tokens, np.ndarray) or tokens.ndim != 2 or tokens.shape[1] < LEAST:
            return "takes no decoder_input_ids of the shape batch × tokens"
        return None if _fed_to_the_encoder(trial) else "nothing is fed to the encoder"

    def run(self, trial: Trial) -> Finding:
        """Tolerances as in causality and padding."""
        causal = causality.ask(trial, "decoder_input_ids")
        if causal.outcome is not Outcome.PASS:
            return causal
        figures = dict(causal.figures)
        before = _decoded(trial.baseline())
        name = _fed_to_the_encoder(trial)
        other = changed(trial, name) if name != "input_ids" else replaced(trial, slice(None))
        change, most = influence(before, _decoded(trial.run(other or trial.inputs)), trial.dtype)
        figures["encoder_influence"] = change
        if change <= noise_floor(trial.dtype):
            return failed(f"another {name} for the encoder changes {most} by {change:.1e} only", figures)
        if masked(trial) is None and text_only(trial) is None:
            wrong = _padding(trial, figures)
            if wrong:
                return failed(wrong, figures)
        return passed(figures)


def _fed_to_the_encoder(trial: Trial) -> str:
    """The first input with data that is not the decoder's."""
    return next((name for name in carriers(trial) if not name.startswith("decoder")), "")


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
