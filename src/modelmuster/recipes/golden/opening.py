"""A subject from a pack: its weights and inputs in the installed transformers, with the outputs that are remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from safetensors.numpy import load_file

from modelmuster.contracts import Golden, Inputs, Output, Outputs
from modelmuster.errors import UsageError
from modelmuster.recipes import identity
from modelmuster.recipes.configs import model_class
from modelmuster.recipes.golden.loading import load
from modelmuster.recipes.golden.pack import INPUTS, OUTPUTS, open_pack, read_entry
from modelmuster.recipes.golden.recording import restored
from modelmuster.recipes.subject import TorchSubject
from modelmuster.records import Architecture, GoldenPack, Recipe, Stage


@dataclass(frozen=True, slots=True)
class GoldenSubject:
    """Implements `contracts.Subject` and `contracts.Remembering`."""

    made: TorchSubject
    golden: Golden

    @property
    def architecture(self) -> Architecture:
        """The architecture it is an instance of."""
        return self.made.architecture

    @property
    def recipe(self) -> Recipe:
        """How it was made when the pack was recorded."""
        return self.made.recipe

    @property
    def inputs(self) -> Inputs:
        """The recorded inputs."""
        return self.made.inputs

    @property
    def module(self) -> object:
        """The loaded module."""
        return self.made.module

    def reference(self, inputs: Inputs) -> Outputs:
        """A float64 run of the installed version, not the remembered one."""
        return self.made.reference(inputs)

    def rounding(self, inputs: Inputs, dtype: str) -> Mapping[str, float]:
        """Error, by output, that arithmetic in `dtype` alone causes."""
        return self.made.rounding(inputs, dtype)


def open_golden(
    architecture: Architecture, class_name: str, place: GoldenPack, entering: Callable[[Stage], None]
) -> GoldenSubject:
    """Load one model of a pack.

    Raises:
        UsageError: the pack was changed, or is not the one that the run was planned with.
        CannotBuild: the installed transformers lacks the class.
    """
    entering(Stage.BUILD)
    pack = open_pack(Path(place.path))
    if pack.digest != place.digest:
        raise UsageError(f"the golden pack {place.path} was changed since this run began")
    folder = pack.folder(architecture.model_type, class_name)
    pack.verify([folder])
    entry = read_entry(folder)
    loaded = load(model_class(architecture, class_name), folder)
    entering(Stage.INPUTS)
    inputs = restored(entry.inputs, folder / INPUTS)
    arrays = load_file(folder / OUTPUTS)
    remembered = {name: Output(arrays[name], dtype) for name, dtype in entry.outputs.items()}
    recipe = msgspec.structs.replace(entry.recipe, versions=identity.versions())
    return GoldenSubject(
        TorchSubject(architecture, recipe, inputs, loaded.module),
        Golden(remembered, loaded.missing, loaded.unexpected, pack.manifest.versions),
    )
