"""Where the configuration ties the embeddings, input and output share one tensor; elsewhere they are two."""

from __future__ import annotations

from typing import Any

from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.records import Finding


class TiedWeights(Question):
    """Looks at the two tables; whether they stay tied after a load is what `save_load` sees."""

    name = "tied_weights"
    question = "Do input and output embeddings share their weights exactly where the configuration says so?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models with both tables, and a word about them in their configuration."""
        module = trial.module
        if _tables(module) is None:
            return "has no table of input embeddings with an output layer of the same shape"
        return None if isinstance(_tied(module), bool) else "the configuration does not say whether weights are tied"

    def run(self, trial: Trial) -> Finding:
        """The same memory, or not."""
        tables, promised = _tables(trial.module), _tied(trial.module)
        shared = tables is not None and tables[0].data_ptr() == tables[1].data_ptr()
        if shared != promised:
            return failed(f"tie_word_embeddings is {promised}, but the weights are {'tied' if shared else 'two'}", {})
        return passed({"tied": shared})


def _tied(module: Any) -> Any:
    """What the configuration of the model says that has the output layer: a decoder's own, where it was built alone."""
    return getattr(_owner(module).config, "tie_word_embeddings", None)


def _owner(module: Any) -> Any:
    """The innermost model with this output layer."""
    head = module.get_output_embeddings()
    having = [part for part in module.modules() if hasattr(part, "get_output_embeddings") and hasattr(part, "config")]
    return next((part for part in reversed(having) if part.get_output_embeddings() is head), module)


def _tables(module: Any) -> tuple[Any, Any] | None:
    """The weights of both, where there are two of the same shape: words go in where they come out, at the decoder."""
    try:
        head = module.get_output_embeddings()
        decoder = module.get_decoder() if module.config.is_encoder_decoder else None
        table = (decoder or module).get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    weights = getattr(table, "weight", None), getattr(head, "weight", None)
    if weights[0] is None or weights[1] is None or weights[0].shape != weights[1].shape:
        return None
    return weights
