"""What a check sees: one subject opened on one target, with forward passes shared between the checks of a cell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from modelmuster.contracts import Capability, Golden, Inputs, Output, Outputs, Remembering, Session, Subject
from modelmuster.errors import ModuleUnavailable, ReferenceUnstable
from modelmuster.nested import is_record, members_of, rebuilt
from modelmuster.records import Architecture, Recipe, Stage

T = TypeVar("T")


class CellTrial:
    """The trial of one cell. Implements `modelmuster.contracts.Trial`.

    Outputs are memoised by the content of their inputs and are read-only; inputs are copied whenever they change hands,
    so that neither a check nor a runtime can spoil what the next one sees.
    """

    def __init__(
        self, subject: Subject, session: Session, *, target: str, dtype: str, entering: Callable[[Stage], None]
    ) -> None:
        self._subject, self._session = subject, session
        self._target, self._dtype, self._entering = target, dtype, entering
        self._outputs: dict[bytes, Outputs] = {}
        self._reference: Outputs | ReferenceUnstable | None = None
        self._rounding: Mapping[str, float] | None = None
        self.runs = 0
        """Forward passes that the runtime has completed."""

    @property
    def architecture(self) -> Architecture:
        """The architecture that the subject is an instance of."""
        return self._subject.architecture

    @property
    def recipe(self) -> Recipe:
        """How the subject was made."""
        return self._subject.recipe

    @property
    def dtype(self) -> str:
        """The dtype that the session was opened in."""
        return self._dtype

    @property
    def target(self) -> str:
        """The target's name."""
        return self._target

    @property
    def inputs(self) -> Inputs:
        """The recipe's inputs; a copy."""
        return _copied(self._subject.inputs)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the session allows."""
        return self._session.capabilities

    @property
    def module(self) -> Any:
        """The live PyTorch module of the session.

        Raises:
            ModuleUnavailable: the session does not offer `Capability.MODULE`.
        """
        if Capability.MODULE not in self.capabilities:
            raise ModuleUnavailable(f"{self._target} does not give access to a PyTorch module")
        return self._session.module  # type: ignore[attr-defined]  # see Capability.MODULE

    def baseline(self) -> Outputs:
        """Outputs for the recipe's inputs."""
        return self.run(self._subject.inputs)

    def run(self, inputs: Inputs) -> Outputs:
        """Outputs for these inputs; the runtime is asked once per distinct content.

        Raises:
            Unsupported: the runtime declares that it cannot run this.
        """
        key = content_key(inputs)
        if key not in self._outputs:
            self.entering(Stage.RUN)
            outputs = self._session.run(_copied(inputs))
            self.runs += 1
            self._outputs[key] = {name: _frozen(output) for name, output in outputs.items()}
            self.entering(Stage.COMPARE)
        return self._outputs[key]

    def reference(self, inputs: Inputs | None = None) -> Outputs:
        """The float64 reference, for the recipe's inputs or for others.

        Raises:
            ReferenceUnstable: two runs differ; raised again for each check that asks.
        """
        if inputs is not None:
            other = _copied(inputs)
            return self._in_reference(lambda: self._subject.reference(other))
        if self._reference is None:
            try:
                self._reference = self._in_reference(lambda: self._subject.reference(_copied(self._subject.inputs)))
            except ReferenceUnstable as unstable:
                self._reference = unstable
        if isinstance(self._reference, ReferenceUnstable):
            raise self._reference
        return self._reference

    def rounding(self, inputs: Inputs | None = None) -> Mapping[str, float]:
        """Root-mean-square error, by output, that arithmetic in this trial's dtype alone causes."""
        if inputs is not None:
            other = _copied(inputs)
            return self._in_reference(lambda: self._subject.rounding(other, self._dtype))
        if self._rounding is None:
            self._rounding = self._in_reference(
                lambda: self._subject.rounding(_copied(self._subject.inputs), self._dtype)
            )
        return self._rounding

    @property
    def golden(self) -> Golden | None:
        """What a golden pack remembers of this model."""
        return self._subject.golden if isinstance(self._subject, Remembering) else None

    def entering(self, stage: Stage) -> None:
        """Record that a stage begins."""
        self._entering(stage)

    def _in_reference(self, compute: Callable[[], T]) -> T:
        self.entering(Stage.REFERENCE)
        made = compute()
        self.entering(Stage.COMPARE)
        return made


def content_key(inputs: Inputs) -> bytes:
    """A digest that is equal for inputs of equal names, types, shapes and values.

    Raises:
        TypeError: a value that `contracts.Inputs` does not allow.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(inputs):
        digest.update(f"{len(name)}:{name}".encode())
        _feed(digest, inputs[name])
    return digest.digest()


def _feed(digest: hashlib.blake2b, value: Any) -> None:
    match value:
        case np.ndarray():
            digest.update(f"array {value.dtype.str} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        case list() | tuple():
            digest.update(f"list {len(value)}".encode())
            for item in value:
                _feed(digest, item)
        case dict():
            digest.update(f"dict {len(value)}".encode())
            for name in sorted(value):
                _feed(digest, name)
                _feed(digest, value[name])
        case bool() | int() | float() | str() | None:
            text = repr(value).encode(errors="surrogatepass")
            digest.update(f"{type(value).__name__} {len(text)} ".encode() + text)
        case _ if is_record(value):
            _feed(digest, dict(members_of(value)))
        case _:
            raise TypeError(f"inputs may not hold a {type(value).__name__}")


def _copied(inputs: Inputs) -> dict[str, Any]:
    return {name: _copy(value) for name, value in inputs.items()}


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else rebuilt(value, _copy)


def _frozen(output: Output) -> Output:
    # Copied, because a runtime may write its next outputs into the same buffer.
    array = np.array(output.array)
    array.setflags(write=False)
    return Output(array=array, dtype=output.dtype)
