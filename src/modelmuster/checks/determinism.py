"""A model in eval mode answers the same question in the same way; dropout that stayed on is the usual culprit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch.overrides import TorchFunctionMode

from modelmuster.checks.live import call
from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Outputs, Trial
from modelmuster.numerics.seeding import FORWARD_SEED
from modelmuster.numerics.tensors import flatten
from modelmuster.records import Finding

_DROPOUT = frozenset({
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout", "feature_dropout",
    "rrelu", "scaled_dot_product_attention",
})  # fmt: skip
_DRAWS = frozenset({
    "bernoulli", "bernoulli_", "exponential_", "multinomial", "normal", "normal_", "poisson", "rand", "rand_like",
    "randint", "randn", "randn_like", "randperm", "uniform_",
})  # fmt: skip


class Determinism(Question):
    """Runs twice from one seed, then from another."""

    name = "determinism"
    question = "Does the model, in eval mode, return the very same numbers for the same inputs, whatever the seed?"
    needs = frozenset({Capability.MODULE})

    def run(self, trial: Trial) -> Finding:
        """Bitwise: two runs on one device have no reason to differ."""
        with _Watch() as watch:
            first = flatten(call(trial, trial.inputs))
        again = flatten(call(trial, trial.inputs))
        if differing := _differing(first, again):
            return failed(f"two runs from the same seed differ in {differing}", {"random_calls": watch.names()})
        other = flatten(call(trial, trial.inputs, seed=FORWARD_SEED + 1))
        differing = _differing(first, other)
        figures = {"random_calls": watch.names(), "training": trial.module.training}
        if watch.dropped:
            return failed(f"dropout is active in eval mode: {', '.join(sorted(watch.dropped))}", figures)
        if not differing:
            return passed(figures)
        if watch.drawn:
            return not_applicable(f"draws random numbers by design ({watch.names()}), which reach {differing}")
        return failed(f"{differing} depends on the seed", figures)


def unless_drawn(trial: Trial, finding: Finding) -> Finding:
    """The finding, unless the model draws noise by design: two calls of other shapes do not draw the same for a row."""
    if Capability.MODULE in trial.capabilities and _draws(trial):
        return not_applicable("draws random numbers by design, other ones for each shape of a call")
    return finding


def _draws(trial: Trial) -> bool:
    """Whether random numbers other than dropout's reach the outputs."""
    with _Watch() as watch:
        first = flatten(call(trial, trial.inputs))
    other = flatten(call(trial, trial.inputs, seed=FORWARD_SEED + 1))
    return bool(watch.drawn and not watch.dropped and _differing(first, other))


class _Watch(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Notes which functions draw random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: set[str] = set()
        self.drawn: set[str] = set()

    def names(self) -> str:
        return ", ".join(sorted(self.dropped | self.drawn))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in _DRAWS:
            self.drawn.add(name)
        elif name in _DROPOUT and _is_active(name, args, kwargs):
            self.dropped.add(name)
        return func(*args, **kwargs)


def _is_active(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if name == "scaled_dot_product_attention":
        return bool(kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0))
    if name == "rrelu":
        return bool(kwargs.get("training", args[3] if len(args) > 3 else False))
    rate = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
    return bool(rate) and bool(kwargs.get("training", kwargs.get("train", args[2] if len(args) > 2 else True)))


def _differing(first: Outputs, second: Outputs) -> str:
    names = [
        name
        for name, output in first.items()
        if name not in second
        or not np.array_equal(output.array, second[name].array, equal_nan=output.array.dtype.kind in "fc")
    ]
    return ", ".join(names[:3])
