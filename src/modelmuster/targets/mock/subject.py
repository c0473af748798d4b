"""What the mock runtime opens: a function with inputs of its own, and no model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
import numpy as np

from modelmuster.contracts import Inputs, Output, Outputs
from modelmuster.errors import ModuleUnavailable
from modelmuster.records import Applied, Architecture, Cell, Modality, Recipe, TensorSpec
from modelmuster.targets.mock import feeds
from modelmuster.targets.mock.breaks import PROPERTIES
from modelmuster.targets.mock.network import Form, Network, form_of

IN_THE_FUNCTION = frozenset(PROPERTIES) - {"cache", "numbers", "precision"}
"""Properties of the function itself, which its float64 reference shares; the others are the runtime's faults."""


@dataclass(frozen=True, slots=True)
class MockSubject:
    """Implements `contracts.Subject`."""

    architecture: Architecture
    recipe: Recipe
    inputs: Inputs
    broken: frozenset[str]

    @property
    def module(self) -> NoReturn:
        """There is none.

        Raises:
            ModuleUnavailable: always.
        """
        raise ModuleUnavailable("the mock runtime has no PyTorch module")

    def reference(self, inputs: Inputs) -> Outputs:
        """The same function in float64, without the faults of the runtime."""
        return outputs(self.network("float64", self.broken & IN_THE_FUNCTION, steps=False)(inputs), "float64")

    def rounding(self, inputs: Inputs, dtype: str) -> Mapping[str, float]:
        """What the function in that dtype differs from the same in float64."""
        broken = self.broken & IN_THE_FUNCTION
        exact, rounded = (self.network(name, broken, steps=False)(inputs) for name in ("float64", dtype))
        return {name: float(np.sqrt(np.mean((rounded[name] - exact[name]) ** 2))) for name in exact}

    def network(self, dtype: str, broken: frozenset[str], *, steps: bool) -> Network:
        """The function, to be called with inputs."""
        return Network(self.architecture, self.recipe.seed, dtype, broken, steps=steps)


def make(architecture: Architecture, cell: Cell, broken: frozenset[str]) -> MockSubject:
    """The subject of a cell."""
    rng = np.random.default_rng(cell.seed)
    fed = frozenset(architecture.modalities) or frozenset({Modality.EMBEDDING})
    inputs = feeds.draw(fed, rng)
    form = form_of(architecture)
    if form is Form.ENCODER_DECODER:
        inputs |= {name: value for name, value in feeds.text(rng, "decoder_").items() if name.endswith("ids")}
    recipe = Recipe(
        model_type=cell.model_type,
        model_class=cell.model_class,
        scale=cell.scale,
        seed=cell.seed,
        config={"vocab_size": feeds.WORDS, "hidden_size": feeds.WIDTH, "pad_token_id": 0},
        inputs=tuple(
            TensorSpec(name=name, shape=value.shape, dtype=str(value.dtype)) for name, value in inputs.items()
        ),
        layout=f"mock:{form.value}",
        modalities=tuple(modality for modality in Modality if modality in fed),
        parameters=0,
        applied=tuple(
            Applied(rule="mock-break", field=name, reason=f"asked for: {PROPERTIES[name]}") for name in sorted(broken)
        ),
    )
    digest = hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()
    return MockSubject(architecture, msgspec.structs.replace(recipe, hash=digest), inputs, broken)


def outputs(arrays: Mapping[str, Any], dtype: str) -> Outputs:
    """Arrays as a runtime returns them."""
    narrow = np.float16 if dtype == "float16" else None
    return {name: Output(array.astype(narrow) if narrow else array, dtype) for name, array in arrays.items()}
