"""generate() called plainly: which arguments it is given, and what its results are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from modelmuster.checks.differences import same
from modelmuster.checks.feeding import are_ids, carriers, special_ids
from modelmuster.checks.live import accepts, arguments
from modelmuster.contracts import Inputs, Output, Trial
from modelmuster.numerics.rule import Comparison
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Family, Stage

NEW_TOKENS = 4
"""Tokens generated: one by the prefix, three by the cache."""

DECODED = ("decoder_input_ids", "decoder_attention_mask", "decoder_inputs_embeds", "labels")
"""Arguments of forward that generate() makes itself."""


def generates(trial: Trial) -> str | None:
    """Why the class does not generate tokens from the recipe's inputs, or None."""
    if not getattr(trial.module, "can_generate", lambda: False)():
        return "this class cannot generate"
    if not _plain(trial, "generate"):
        return "the class has a generate() of its own"
    if not _plain(trial, "_prepare_generated_length"):
        return "the class decides itself how many tokens it writes"
    if trial.architecture.family is Family.ENCODER_ONLY and not getattr(trial.module.config, "is_decoder", False):
        return "reads both ways by its configuration (is_decoder is false), so that nothing can be kept of a prefix"
    if not any(are_ids(name) for name in trial.inputs):
        return "fed no tokens that generate() could continue"
    return None


def prompt(trial: Trial) -> dict[str, Any]:
    """The recipe's inputs without those that generate() makes itself; the data under the name where it looks for it."""
    given = {name: value for name, value in trial.inputs.items() if name not in DECODED}
    main = getattr(trial.module, "main_input_name", "")
    if main not in given and accepts(trial, main):
        data = next((name for name in carriers(trial) if name in given), None)
        if data is not None:
            given[main] = given.pop(data)
    return given


def generate(trial: Trial, inputs: Inputs, **settings: Any) -> Any:
    """Generate greedily without stopping early, and keep the logits of every step."""
    from transformers import GenerationConfig

    start = _start_token(trial)
    chosen: dict[str, Any] = {
        "max_new_tokens": NEW_TOKENS,
        "min_new_tokens": None,
        "do_sample": False,
        "num_beams": 1,
        "pad_token_id": 0,
        "eos_token_id": None,
        "decoder_start_token_id": start,
        "bos_token_id": start,
        "return_dict_in_generate": True,
        "output_logits": True,
    }
    if len(set(trial.recipe.modalities)) > 1 and _plain(trial, "_get_logits_processor"):
        # An untrained model may write the places of another image, which nobody hands in.
        words = trial.module.config.get_text_config(decoder=True).vocab_size
        chosen["suppress_tokens"] = [token for token in special_ids(trial) if 0 <= token < words]
    module, config = trial.module, GenerationConfig(**(chosen | settings))
    trial.entering(Stage.RUN)
    seed_forward()
    # The model's own settings, such as a forced last token, fill in whatever is None here: they step aside.
    before, module.generation_config = module.generation_config, config
    try:
        with torch.no_grad():
            returned = module.generate(**arguments(trial, inputs), generation_config=config)
    finally:
        module.generation_config = before
    trial.entering(Stage.COMPARE)
    return returned


def logits_of(made: Any) -> np.ndarray | None:
    """Logits that generate() chose by, as steps × rows × words; None where it returns none."""
    kept = getattr(made, "logits", None)
    if not kept:
        return None
    return np.stack([output.array.astype(np.float32) for output in flatten(list(kept)).values()])


def compared_steps(trial: Trial, expected: np.ndarray, got: np.ndarray) -> tuple[Comparison, int]:
    """Two generations of the same prompt, as far as their prefixes are the same, and how many steps that is.

    Where two logits tie, rounding may choose another token; what follows has no reason to agree.
    """
    steps = min(len(expected), len(got))
    for step in range(steps):
        if not np.array_equal(expected[step].argmax(-1), got[step].argmax(-1)):
            steps = step + 1
            break
    first, second = ({"logits": Output(logits[:steps], "float32")} for logits in (expected, got))
    return same(trial, first, second), steps


def _start_token(trial: Trial) -> int:
    """What transformers itself would begin with: padding in its place would be hidden by some decoders."""
    config = trial.module.config
    named = getattr(config, "decoder_start_token_id", None), getattr(config.get_text_config(), "bos_token_id", None)
    return next((token for token in named if isinstance(token, int)), 0)


def _plain(trial: Trial, method: str) -> bool:
    """Whether the class generates in this respect as transformers' others do."""
    from transformers import GenerationMixin

    return getattr(type(trial.module), method) is getattr(GenerationMixin, method)
