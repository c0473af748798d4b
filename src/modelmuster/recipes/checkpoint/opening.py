"""One checkpoint from its folder to a subject: config, weights, inputs, recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from torch import nn

from modelmuster.errors import CannotBuild, NoInputs, UsageError
from modelmuster.numerics.tensors import to_numpy
from modelmuster.recipes import identity
from modelmuster.recipes.build import describe, run_once
from modelmuster.recipes.checkpoint import loading
from modelmuster.recipes.checkpoint.description import read_config
from modelmuster.recipes.checkpoint.own_inputs import OwnInputs
from modelmuster.recipes.checkpoint.places import located
from modelmuster.recipes.checkpoint.weight_files import weight_files
from modelmuster.recipes.inputs import Layout, layouts
from modelmuster.recipes.subject import TorchSubject
from modelmuster.records import Applied, Architecture, Recipe, Scale, Stage


def open_checkpoint(
    architecture: Architecture,
    class_name: str,
    spec: str,
    *,
    trust_remote_code: bool,
    seed: int,
    entering: Callable[[Stage], None],
) -> TorchSubject:
    """Build a checkpoint's model; see `checkpoint.opened`."""
    entering(Stage.BUILD)
    try:
        folder = located(spec)
        content = read_config(folder)
    except UsageError as error:
        # It was there when the run was planned; by now it is this cell's outcome.
        raise CannotBuild(error.message, hint=error.hint) from error
    cls, config = loading.build(folder, content, architecture, class_name, trusted=trust_remote_code)
    files = weight_files(folder, class_name)
    loading.refuse_if_too_large(cls, config, files)
    module, applied = loading.load(folder, cls, config, trusted=trust_remote_code)
    entering(Stage.INPUTS)
    own = OwnInputs(folder, module, architecture, seed, trusted=trust_remote_code)
    layout, inputs = _first_that_runs(
        module, architecture, class_name, [own.layouts(), layouts(module, architecture, seed)]
    )
    recipe = Recipe(
        model_type=architecture.model_type,
        model_class=class_name,
        scale=Scale.CHECKPOINT,
        seed=seed,
        config=dict(content),
        inputs=identity.input_specs(inputs),
        layout=layout.name,
        modalities=layout.modalities,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        applied=(*_code_note(content, trust_remote_code), *applied, *own.applied),
        versions=identity.versions(),
        weights_hash=files.content_hash(),
    )
    recipe = msgspec.structs.replace(recipe, hash=identity.recipe_hash(recipe, recipe.weights_hash))
    return TorchSubject(architecture, recipe, inputs, module)


def _first_that_runs(
    module: nn.Module, architecture: Architecture, class_name: str, offers: list[Iterator[Layout]]
) -> tuple[Layout, dict[str, Any]]:
    """The first layout that feeds every modality of the architecture, else the one that feeds the most.

    Raises:
        NoInputs: none of them runs.
    """
    best: tuple[Layout, dict[str, Any]] | None = None
    failures: list[str] = []
    for layout in _each(offers, failures):
        try:
            arguments = layout.build()
            run_once(module, arguments)
        except Exception as error:  # noqa: BLE001 - a model may raise anything at inputs it does not like; it is kept
            failures.append(f"{layout.name}: {describe(error)}")
            continue
        if best is None or len(set(layout.modalities)) > len(set(best[0].modalities)):
            best = layout, to_numpy(arguments)
        if class_name != architecture.default_class or set(architecture.modalities) <= set(layout.modalities):
            break
    if best is None:
        tried = f"none of {len(failures)} input layouts; the first failed with {failures[0]}" if failures else "none"
        raise NoInputs(f"{class_name} ran with {tried}")
    return best


def _each(offers: list[Iterator[Layout]], failures: list[str]) -> Iterator[Layout]:
    for offer in offers:
        try:
            yield from offer
        except Exception as error:  # noqa: BLE001 - layouts run parts of the model to count what they return
            failures.append(describe(error))


def _code_note(content: Mapping[str, Any], trusted: bool) -> tuple[Applied, ...]:
    if trusted or not content.get("auto_map"):
        return ()
    reason = "The library's own class of this type is run; the code that comes with the checkpoint is not."
    return (Applied(rule="own-code", field="auto_map", before=content["auto_map"], reason=reason),)
