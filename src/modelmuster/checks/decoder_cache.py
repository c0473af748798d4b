"""A decoder beside an encoder, fed in pieces on top of its cache: text, speech or images may be what it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from modelmuster.checks.differences import agrees, off, same, size_of
from modelmuster.checks.feeding import carriers
from modelmuster.checks.live import accepts, call, outputs
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Output, Outputs, Trial
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding

_DECODED = ("logits", "last_hidden_state")


class DecoderCache(Question):
    """The first half of the decoder's tokens, then one by one, without the positions and masks that hide errors."""

    name = "decoder_cache"
    question = "Does a decoder beside an encoder give with its cache what it gives for all tokens at once?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that take decoder tokens, their encoder's results and a cache."""
        tokens = trial.inputs.get("decoder_input_ids")
        if not isinstance(tokens, np.ndarray) or tokens.ndim != 2 or tokens.shape[1] < 3:
            return "fed no decoder tokens"
        lacking = [name for name in ("encoder_outputs", "past_key_values", "use_cache") if not accepts(trial, name)]
        return f"forward takes no {lacking[0]}" if lacking else None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance at every piece."""
        tokens, figures = trial.inputs["decoder_input_ids"], Figures()
        inputs = {name: value for name, value in trial.inputs.items() if not name.startswith("decoder_")}
        full = _decoded(outputs(trial, {**inputs, "decoder_input_ids": tokens}, use_cache=False))
        start, length = 0, tokens.shape[1]
        further: dict[str, Any] = {}
        for stop in range(length // 2, length + 1):
            with _encoded(trial.module) as encoded:
                returned = call(
                    trial, {**inputs, "decoder_input_ids": tokens[:, start:stop]}, use_cache=True, **further
                )
            cache = getattr(returned, "past_key_values", None)
            if cache is None or not (encoded or further):
                return not_applicable("returns no cache, or not what its encoder gave")
            got = _decoded(flatten(returned))
            expected = {
                name: Output(output.array[:, start:stop], output.dtype) for name, output in full.items() if name in got
            }
            if not expected:
                return not_applicable("returns nothing that belongs to single tokens")
            compared = same(trial, expected, got)
            figures[f"tokens_{start}_to_{stop}.relative_rmse"] = size_of(compared)
            if not agrees(compared):
                return failed(f"tokens {start} to {stop - 1} on top of the cache: {off(compared)}", figures)
            further["past_key_values"] = cache
            further.setdefault("encoder_outputs", next(iter(encoded), None))
            inputs = {name: value for name, value in inputs.items() if name not in carriers(trial)}
            start = stop
        return passed(figures)


@contextmanager
def _encoded(module: Any) -> Iterator[list[Any]]:
    """What the encoder returns in here, whole: some decoders want more of it than its last state."""
    returned: list[Any] = []
    encoder = module.get_encoder() if hasattr(module, "get_encoder") else None
    if encoder is None:
        yield returned
        return
    hook = encoder.register_forward_hook(lambda _part, _given, found: returned.append(found))
    try:
        yield returned
    finally:
        hook.remove()


def _decoded(outputs: Outputs) -> dict[str, Output]:
    for name in _DECODED:
        if name in outputs and outputs[name].array.ndim == 3:
            return {name: outputs[name]}
    return {}
