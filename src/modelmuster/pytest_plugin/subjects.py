"""The model of a generated file, opened on a target for its tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from modelmuster import catalog, plugins
from modelmuster.contracts import Capability, Inputs, Output, Session, Target
from modelmuster.errors import MusterError, Unavailable, Unsupported
from modelmuster.records import Architecture, Cell, Family, ModelClass, Outcome, Recipe, Scale, Stage

if TYPE_CHECKING:
    import torch

    from modelmuster.recipes.subject import TorchSubject

DTYPE = "float32"
"""Test files are written for float32: their tolerances say so."""


@dataclass(slots=True)
class Opened:
    """A model for a target, brought there when the first test wants it."""

    cell: Cell
    target: Target
    subject: TorchSubject
    session: Session | None = None
    refused: Outcome | None = None
    """Why the test that runs now was skipped, where the runtime is the reason."""

    def run(self, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """One forward pass, seeded, without gradients; the test is skipped where the runtime says that it cannot."""
        from modelmuster.numerics.tensors import to_numpy

        arrays = to_numpy(dict(inputs))
        session = self._opened(arrays)
        try:
            outputs = session.run(arrays)
        except Unsupported as error:
            self._refuse(Outcome.UNSUPPORTED, str(error))
        return {name: _tensor(output) for name, output in outputs.items()}

    def reference(self, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """One forward pass in float64."""
        from modelmuster.numerics.tensors import to_numpy

        return {name: _tensor(output) for name, output in self.subject.reference(to_numpy(dict(inputs))).items()}

    def module(self) -> Any:
        """The live module; the test is skipped where there is none."""
        session = self._opened({})
        if Capability.MODULE not in session.capabilities:
            self._refuse(Outcome.NOT_APPLICABLE, f"{self.cell.target} does not give access to a PyTorch module")
        return session.module  # type: ignore[attr-defined]  # see Capability.MODULE

    def close(self) -> None:
        """Let the runtime go."""
        if self.session is not None:
            self.session.close()

    def _opened(self, inputs: Inputs) -> Session:
        """The session. Runtimes that export a model do so with the first inputs that they are given."""
        if self.session is None:
            try:
                self.session = self.target.open(replace(self.subject, inputs=inputs), DTYPE, _ignore)
            except (Unavailable, Unsupported) as error:
                unavailable = isinstance(error, Unavailable)
                self._refuse(Outcome.UNAVAILABLE if unavailable else Outcome.UNSUPPORTED, str(error))
        return self.session

    def _refuse(self, outcome: Outcome, reason: str) -> NoReturn:
        self.refused = outcome
        pytest.skip(reason)


@contextmanager
def opened(target_name: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The model that the module's fixture `model` builds, for as long as the module's tests run on the target."""
    subject = _subject(request.getfixturevalue("model"), request)
    cell = Cell(
        model_type=subject.recipe.model_type,
        model_class=subject.recipe.model_class,
        family=subject.architecture.family,
        target=target_name,
        dtype=DTYPE,
    )
    made = Opened(cell, plugins.targets().get(target_name), subject)
    try:
        yield made
    finally:
        made.close()


def _subject(module: Any, request: pytest.FixtureRequest) -> TorchSubject:
    """A subject around the model; what it is said to be stands in the mark of the file."""
    from modelmuster.recipes.subject import TorchSubject

    marker = request.node.get_closest_marker("muster")
    if marker is None:
        pytest.fail(
            "a test that uses muster fixtures needs pytestmark = pytest.mark.muster(model_type=…, model_class=…)"
        )
    model_type, model_class = marker.kwargs["model_type"], marker.kwargs["model_class"]
    recipe = Recipe(
        model_type=model_type,
        model_class=model_class,
        scale=Scale.TINY,
        seed=0,
        config={},
        inputs=(),
        layout="a test file's own",
        modalities=(),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
    )
    return TorchSubject(_architecture(model_type, model_class, module), recipe, {}, module)


def _architecture(model_type: str, model_class: str, module: Any) -> Architecture:
    """The catalogue's entry; one made up of what the file says for a type that the catalogue does not know."""
    try:
        return catalog.load().get(model_type)
    except MusterError:
        return Architecture(
            model_type=model_type,
            config_class=type(module.config).__name__,
            module=type(module).__module__,
            family=Family.OTHER,
            top_level=True,
            model_classes=(ModelClass(name=model_class),),
            default_class=model_class,
        )


def _tensor(output: Output) -> torch.Tensor:
    import torch

    return torch.from_numpy(output.array.copy())


def _ignore(_stage: Stage) -> None:
    """A test file has no stages to record."""
