"""That a fault changes something: what a model does in many ways, each as one number, to be laid beside a healthy one.

No judgement is made here. The probes go wider than a forward pass (left padding, caches, beams, gradients, saved
files), because some faults show nowhere else.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import transformers

from modelmuster.checks.live import accepts, arguments, attention_implementation
from modelmuster.checks.question import Figures, Question, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.precision import in_dtype, plain_experts
from modelmuster.numerics.seeding import seed_forward
from modelmuster.numerics.tensors import named_tensors
from modelmuster.records import Finding

MASKS = ("attention_mask", "pixel_mask", "padding_mask", "past_observed_mask")
HIDDEN = 3
NEW_TOKENS = 6


class Proof(Question):
    """Sums up what the model does; always passes."""

    name = "power_proof"
    question = "What does the model do, in numbers?"
    needs = frozenset({Capability.MODULE})

    def run(self, trial: Trial) -> Finding:
        """One figure for each probe; what a probe raises is its figure."""
        figures = Figures()
        for name, probe in PROBES.items():
            figures[name], figures[f"{name}.shapes"] = _figure(probe, trial)
        return passed(figures)


def _figure(probe: Callable[[Trial], Iterable[Any]], trial: Trial) -> tuple[float | str, str]:
    seed_forward()
    try:
        return _digest(probe(trial))
    except Exception as error:  # noqa: BLE001 - that it raises, and what, is what the model does
        return f"{type(error).__name__}: {str(error)[:80]}", ""


def _digest(returned: Iterable[Any]) -> tuple[float, str]:
    """A weighted sum over every finite number, where each place has a weight of its own, and all shapes."""
    total, shapes = 0.0, []
    for place, (_, tensor) in enumerate(named_tensors(list(returned))):
        values = tensor.detach().double().flatten()
        values = values.abs() if tensor.is_complex() else values
        weights = torch.rand(values.numel(), dtype=torch.float64, generator=torch.Generator().manual_seed(place))
        total += float((torch.nan_to_num(values, 7.0, 3.0, -3.0).clamp(-1e6, 1e6) * (0.5 + weights)).sum())
        shapes.append("×".join(map(str, tensor.shape)))
    return total, ", ".join(shapes)


def _forward(trial: Trial, **further: Any) -> Any:
    with torch.no_grad():
        return trial.module(**arguments(trial, trial.inputs), **further)


def _plain(trial: Trial) -> Iterator[Any]:
    yield _forward(trial)


def _eager(trial: Trial) -> Iterator[Any]:
    with attention_implementation(trial.module, "eager"):
        yield _forward(trial)


def _in_tuple(trial: Trial) -> Iterator[Any]:
    yield _forward(trial, return_dict=False)


def _states(trial: Trial) -> Iterator[Any]:
    yield _forward(trial, output_hidden_states=True)
    with attention_implementation(trial.module, "eager"):
        yield _forward(trial, output_attentions=True)


def _padded(trial: Trial) -> Iterator[Any]:
    """The start or the end of the first row hidden, in either way to attend, with pad tokens under a text's mask."""
    given = arguments(trial, trial.inputs)
    masks = [name for name in MASKS if name in given]
    if "input_ids" in given and "attention_mask" not in given:
        given["attention_mask"], masks = torch.ones_like(given["input_ids"]), ["attention_mask", *masks]
    if "pixel_mask" not in given and accepts(trial, "pixel_mask"):
        given["pixel_mask"], masks = torch.ones_like(given["pixel_values"][:, 0]).long(), ["pixel_mask", *masks]
    fused = getattr(trial.module, "_supports_sdpa", False)
    for implementation in ("sdpa", "eager") if fused else ("eager",):
        with attention_implementation(trial.module, implementation):
            for name in masks:
                yield from _hidden(trial, given, name)


def _hidden(trial: Trial, given: dict[str, Any], name: str) -> Iterator[Any]:
    width = max(HIDDEN, given[name].shape[-1] // 3)
    for side in (slice(None, width), slice(-width, None)):
        mask = torch.ones_like(given[name])
        mask[0, ..., side] = 0
        hidden = given | {name: mask}
        if name == "attention_mask" and "input_ids" in given and len(set(trial.recipe.modalities)) == 1:
            pad = getattr(trial.module.config, "pad_token_id", None) or 0
            hidden["input_ids"] = torch.where(mask.bool(), given["input_ids"], pad)
        with torch.no_grad():
            yield trial.module(**hidden)


def _positioned(trial: Trial) -> Iterator[Any]:
    given = arguments(trial, trial.inputs)
    length = given["input_ids"].shape[1]
    with torch.no_grad():
        yield trial.module(**given | {"position_ids": torch.arange(length).flip(0)[None]})


def _resized(trial: Trial) -> Iterator[Any]:
    """An image that is not square."""
    given = arguments(trial, trial.inputs)
    pixels = given["pixel_values"]
    with torch.no_grad():
        yield trial.module(
            **given | {"pixel_values": pixels[..., : pixels.shape[-1] // 2]}, interpolate_pos_encoding=True
        )


def _experts(trial: Trial) -> Iterator[Any]:
    with plain_experts(trial.module):
        yield _forward(trial)


def _cached(trial: Trial) -> Iterator[Any]:
    if accepts(trial, "encoder_outputs"):
        yield from _cached_beside_encoder(trial)
        return
    tokens = arguments(trial, trial.inputs)["input_ids"]
    name = next(name for name in ("past_key_values", "cache_params", "state") if accepts(trial, name))
    with torch.no_grad():
        first = trial.module(tokens[:, :-2], use_cache=True)
        yield first
        for place in (-2, -1):
            end = place + 1 or None
            first = trial.module(tokens[:, place:end], use_cache=True, **{name: first[name]})
            yield first


def _static(trial: Trial) -> Iterator[Any]:
    """Steps on top of a cache of fixed size."""
    tokens = arguments(trial, trial.inputs)["input_ids"]
    cache = transformers.StaticCache(config=trial.module.config, max_cache_len=tokens.shape[1])
    with torch.no_grad():
        yield trial.module(tokens[:, :-2], past_key_values=cache, use_cache=True)
        for place in (-2, -1):
            yield trial.module(tokens[:, place : place + 1 or None], past_key_values=cache, use_cache=True)


def _cached_beside_encoder(trial: Trial) -> Iterator[Any]:
    given = arguments(trial, trial.inputs)
    tokens = given.pop("decoder_input_ids")
    with torch.no_grad():
        first = trial.module(**given, decoder_input_ids=tokens[:, :-1], use_cache=True)
        yield first
        yield trial.module(**given, decoder_input_ids=tokens[:, -1:], past_key_values=first.past_key_values)


def _generated(trial: Trial) -> Iterator[Any]:
    given = arguments(trial, trial.inputs)
    for beams in (1, 2):
        made = trial.module.generate(
            **given, max_new_tokens=NEW_TOKENS, num_beams=beams, do_sample=False, output_scores=True,
            return_dict_in_generate=True,
        )  # fmt: skip
        yield made.sequences
        yield made.scores


def _gradients(trial: Trial) -> Iterator[Any]:
    module = copy.deepcopy(trial.module)
    for training in (False, True):
        module.train(training)
        seed_forward()
        outputs = [value for _, value in named_tensors(module(**arguments(trial, trial.inputs))) if value.requires_grad]
        weights = [torch.rand(value.shape, generator=torch.Generator().manual_seed(1)) for value in outputs]
        loss = sum((value * weight).sum() for value, weight in zip(outputs, weights, strict=True))
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        found = torch.autograd.grad(loss, trained, allow_unused=True)
        yield [torch.zeros(1) if value is None else value / (value.norm() + 1) for value in found]


def _loss(trial: Trial) -> Iterator[Any]:
    given = arguments(trial, trial.inputs)
    tokens = given.pop("decoder_input_ids", given.get("input_ids")).clone()
    tokens[:, -2:] = -100
    with torch.no_grad():
        yield trial.module(**given, labels=tokens)


def _narrow(trial: Trial) -> Iterator[Any]:
    module = in_dtype(trial.module, torch.bfloat16)
    given = arguments(trial, trial.inputs)
    cast = {name: value.bfloat16() if _is_float(value) else value for name, value in given.items()}
    with torch.no_grad():
        yield module(**cast)


def _saved(trial: Trial) -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder:
        trial.module.save_pretrained(folder)
        loaded = type(trial.module).from_pretrained(folder, local_files_only=True).eval()
    with torch.no_grad():
        yield loaded(**arguments(trial, trial.inputs))
    yield list(loaded.state_dict().values())
    yield torch.tensor(len({id(parameter) for parameter in loaded.parameters()}))


def _checkpointed(trial: Trial) -> Iterator[Any]:
    module = copy.deepcopy(trial.module).train()
    module.gradient_checkpointing_enable()
    seed_forward()
    outputs = [value for _, value in named_tensors(module(**arguments(trial, trial.inputs))) if value.requires_grad]
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    yield torch.autograd.grad(sum(value.sum() for value in outputs), parameters, allow_unused=True)


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


PROBES: dict[str, Callable[[Trial], Iterable[Any]]] = {
    "forward": _plain,
    "eager": _eager,
    "tuple": _in_tuple,
    "states": _states,
    "padded": _padded,
    "positioned": _positioned,
    "resized": _resized,
    "experts": _experts,
    "cached": _cached,
    "static": _static,
    "generated": _generated,
    "gradients": _gradients,
    "loss": _loss,
    "bfloat16": _narrow,
    "saved": _saved,
    "checkpointed": _checkpointed,
}
