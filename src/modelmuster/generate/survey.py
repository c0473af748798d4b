"""From an architecture to its blueprint: builds the tiny model once and tries what a test file will do with it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers

from modelmuster import plugins
from modelmuster.checks.decoding import CACHES
from modelmuster.checks.feeding import batch_size, carriers
from modelmuster.checks.texts import at
from modelmuster.contracts import Capability, Check, Inputs, Outputs
from modelmuster.errors import CannotBuild, NoInputs, Unavailable
from modelmuster.generate.blueprint import ASKED, Blueprint, Carrier, without_recipe
from modelmuster.generate.expressions import MOST_IN_ALL, expression
from modelmuster.generate.rehearsal import rehearsed
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import named_tensors, to_numpy, to_torch
from modelmuster.recipes import ignore, prepare, sessions
from modelmuster.recipes.subject import TorchSubject
from modelmuster.records import Architecture, Modality, Outcome
from modelmuster.runs.trial import CellTrial
from modelmuster.targets.torch_eager import TorchSession

NEEDS_TOKENS = frozenset({"padding", "causality", "bidirectional", "cache"})
"""Questions about single tokens, which need an output that has a place for each."""

MOST_OUTPUTS = 6

CHANGES = {"f": ("flip(-1)", "flip(0)", "neg()"), "i": ("flip(0)", "flip(-1)", "roll(1, -1)")}
"""Changes of floats and of whole numbers that leave their range and, row by row, their special tokens as they are."""

MASKED = 1e30
"""Numbers from here on stand for minus infinity: what masks leave in logits."""

CLIP_DIMENSIONS = 5
COLOURS = 3


def survey(architecture: Architecture, class_name: str, cache_dir: Path | None = None) -> Blueprint:
    """The blueprint of one class; one with a reason where no recipe is found or the recipe cannot be written down."""
    try:
        subject = prepare(architecture, class_name, cache_dir=cache_dir, entering=ignore)
    except (CannotBuild, NoInputs, Unavailable) as error:
        return without_recipe(architecture, class_name, error.message, missing=_package(error))
    module = as_built_by_a_file(subject.module, subject.recipe.config)
    sources, failure = _written(module, subject.inputs)
    if failure:
        return without_recipe(architecture, class_name, f"its inputs cannot be written down: {failure}")
    inputs = evaluated(sources)
    returned = call_seeded(module, to_torch(inputs))
    outputs = _outputs(returned)
    session = TorchSession(module, "cpu", "float32")
    subject = type(subject)(architecture, subject.recipe, inputs, module)
    trial = CellTrial(subject, session, target="torch:cpu", dtype="float32", entering=ignore)
    batch, length = batch_size(trial), _tokens(inputs, "input_ids")
    text_output = next(iter(at(trial.baseline(), slice(0, 1), length)), "") if length else ""
    rows = tuple(name for name, t in outputs.items() if t.dim() and t.shape[0] == batch and "logits_per" not in name)
    reached = _reached(module, inputs, tuple(outputs))
    cache = _cache(module, inputs)
    moved = tuple(_carriers(trial, outputs))
    fitting = {name for name in ASKED if _fits(plugins.checks().get(name), trial)}
    fitting -= set() if text_output else NEEDS_TOKENS
    fitting -= set() if cache else {"cache"}
    fitting -= set() if rows and all(_has_rows(value, batch) for value in inputs.values()) else {"batch_invariance"}
    fitting -= set() if reached else {"gradients"}
    fitting |= {"influence"} if moved else set()
    fitting |= {"transposed"} if {"logits_per_image", "logits_per_text"} <= set(outputs) else set()
    last_frame = next((found for carrier in moved if (found := _last_frame(carrier, inputs))), None)
    fitting |= {"frames"} if last_frame else set()
    if plugins.checks().get("determinism").run(trial).outcome is not Outcome.NOT_APPLICABLE:
        fitting |= {"determinism", "reference"}
    made = Blueprint(
        model_type=architecture.model_type,
        model_class=class_name,
        family=architecture.family,
        traits=architecture.traits,
        modalities=subject.recipe.modalities,
        config_source=_source(type(module.config)),
        class_source=_source(type(module)),
        session_source=_source(sessions.session_class(module)) if sessions.asked_through_one(module) else "",
        config=subject.recipe.config,
        inputs=sources,
        outputs={name: tuple(tensor.shape) for name, tensor in outputs.items()},
        uneven=any(not bool((tensor.double().abs() < MASKED).all()) for tensor in outputs.values()),
        floats=tuple(name for name, tensor in outputs.items() if tensor.is_floating_point()),
        returned=_kind(returned, outputs),
        rows=rows,
        reached=reached,
        text_output=text_output,
        length=length,
        decoder_length=_tokens(inputs, "decoder_input_ids"),
        cache=cache,
        batch=batch or 0,
        carriers=moved,
        last_frame=last_frame,
        questions=tuple(sorted({"forward", *fitting})),
        parameters=subject.recipe.parameters,
        recipe_hash=subject.recipe.hash,
    )
    return rehearsed(made, trial, lambda: _fixtures(subject, session, sources))


def _fixtures(subject: TorchSubject, session: TorchSession, sources: Mapping[str, str]) -> dict[str, Any]:
    """What the fixtures of a file give its tests, on the CPU."""

    def run(inputs: Inputs) -> dict[str, torch.Tensor]:
        return _tensors(session.run(to_numpy(dict(inputs))))

    def reference(inputs: Inputs) -> dict[str, torch.Tensor]:
        return _tensors(subject.reference(to_numpy(dict(inputs))))

    module, inputs = subject.module, to_torch(evaluated(sources))
    return {"inputs": inputs, "muster_run": run, "muster_reference": reference, "muster_module": module}


def _tensors(outputs: Outputs) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(output.array.copy()) for name, output in outputs.items()}


def _package(error: Exception) -> str:
    """The package that an error says is missing."""
    found = re.search(r"the package ([\w.-]+)", str(error)) if isinstance(error, Unavailable) else None
    return found[1] if found else ""


def as_built_by_a_file(like: Any, config: Mapping[str, Any]) -> Any:
    """The model as the fixture `model` of every test file builds it, see `templates/file.py.j2`."""
    torch.manual_seed(0)
    module = type(like)(type(like.config)(**copy.deepcopy(dict(config)))).float().eval()
    with torch.no_grad():
        for weight in module.parameters():
            spread = 0.5 / max(weight[:1].numel(), 1) ** 0.5 if weight.dim() > 1 else 0.1
            weight.add_(spread * torch.randn_like(weight))
    sessions.attach(module)
    return module


def _written(module: torch.nn.Module, inputs: Inputs) -> tuple[dict[str, str], str]:
    """Sources of inputs that the model accepts, as short as can be, or why it accepts none."""
    failure = ""
    for most in (MOST_IN_ALL, 8 * MOST_IN_ALL):
        sources = {name: expression(value, most) for name, value in inputs.items()}
        try:
            call_seeded(module, to_torch(evaluated(sources)))
        except Exception as error:  # noqa: BLE001 - whatever a model raises at inputs that are only like the recipe's
            failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        else:
            return sources, ""
    return {}, failure


def evaluated(sources: Mapping[str, str]) -> dict[str, Any]:
    """The inputs that a file makes of these sources, as arrays."""
    torch.manual_seed(0)
    known = {"torch": torch, "transformers": transformers}
    made: dict[str, Any] = to_numpy({name: eval(source, known) for name, source in sources.items()})  # noqa: S307 - written by `expression`
    return made


def _outputs(returned: Any) -> dict[str, torch.Tensor]:
    """What is compared: the tensors at the top of what the model returned, or those below where there are none."""
    every = {name: tensor for name, tensor in named_tensors(returned) if tensor.numel()}
    top = {name: tensor for name, tensor in every.items() if "." not in name and name != "loss"}
    return dict(list((top or every).items())[:MOST_OUTPUTS])


def _fits(check: Check, trial: CellTrial) -> bool:
    architecture = trial.architecture
    if check.families is not None and architecture.family not in check.families:
        return False
    fed = set(trial.recipe.modalities)
    if not (check.traits <= set(architecture.traits) and check.modalities <= fed and check.needs <= set(Capability)):
        return False
    return check.applies(trial) is None


def _has_rows(value: Any, batch: int | None) -> bool:
    """Whether a slice of its first axis takes one row, which is all that a test file does; packed images have none."""
    return len(value) == batch if isinstance(value, list) else not np.ndim(value) or np.shape(value)[0] == batch


def _tokens(inputs: Inputs, name: str) -> int:
    tokens = inputs.get(name)
    return int(tokens.shape[1]) if isinstance(tokens, np.ndarray) and tokens.ndim == 2 else 0


def _reached(module: torch.nn.Module, inputs: Inputs, names: tuple[str, ...]) -> tuple[str, ...]:
    torch.manual_seed(0)
    with torch.enable_grad():
        tensors = dict(named_tensors(module(**to_torch(inputs))))
    return tuple(
        name
        for name in names
        if name in tensors and tensors[name].requires_grad and bool(tensors[name].isfinite().all())
    )


def _cache(module: torch.nn.Module, inputs: Inputs) -> str:
    """The argument by which the model takes back the cache that it returned under the same name."""
    if "input_ids" not in inputs:
        return ""
    try:
        returned = call_seeded(module, {**to_torch({"input_ids": inputs["input_ids"]}), "use_cache": True})
    except Exception:  # noqa: BLE001 - a model that takes no cache, or no text alone, says so in its own way
        return ""
    return next((name for name in CACHES if getattr(returned, name, None) is not None), "")


def _carriers(trial: CellTrial, outputs: Mapping[str, torch.Tensor]) -> Iterator[Carrier]:
    """Inputs that carry data, each with the first change that the model accepts; one that shows is preferred."""
    module, inputs = trial.module, trial.inputs
    for name, modality in carriers(trial).items():
        if not isinstance(inputs[name], np.ndarray) or inputs[name].dtype.kind not in CHANGES:
            continue
        accepted = []
        for change in CHANGES[inputs[name].dtype.kind]:
            given = to_torch(inputs)
            changed = eval(f"value.{change}", {"value": given[name]})  # noqa: S307 - one of `CHANGES`
            if torch.equal(changed, given[name]):
                continue
            try:
                after = _outputs(call_seeded(module, {**given, name: changed}))
            except Exception:  # noqa: BLE001, S112 - values that the model does not take: another change is tried
                continue
            accepted.append(change)
            if _differ(outputs, after):
                accepted = [change]
                break
        if accepted:
            yield Carrier(name=name, modality=modality, change=accepted[0])


def _last_frame(carrier: Carrier, inputs: Inputs) -> tuple[str, str] | None:
    """Clips are batch × frames × channels × height × width, or the other way round in the middle."""
    shape = inputs[carrier.name].shape
    if carrier.modality is not Modality.VIDEO or len(shape) != CLIP_DIMENSIONS:
        return None
    return carrier.name, ":, :, -1" if shape[1] == COLOURS and shape[2] != COLOURS else ":, -1"


def _kind(returned: Any, outputs: Mapping[str, torch.Tensor]) -> Literal["named", "tensor", "nested"]:
    if isinstance(returned, torch.Tensor):
        return "tensor"
    named = isinstance(returned, Mapping) and all(isinstance(returned.get(name), torch.Tensor) for name in outputs)
    return "named" if named else "nested"


def _differ(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]) -> bool:
    return any(name not in after or not torch.equal(tensor, after[name]) for name, tensor in before.items())


def _source(cls: type) -> str:
    """Where a class is found, seen from `transformers`: at the top if it is exported there."""
    name: str = cls.__name__
    if getattr(transformers, name, None) is cls:
        return name
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix("transformers.")
