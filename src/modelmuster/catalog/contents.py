"""The catalogue itself: an immutable collection of architectures that knows which transformers it describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from modelmuster.errors import UnknownName
from modelmuster.records import Architecture

Source = Literal["introspected", "cache", "shipped snapshot", "file"]
"""Where a catalogue came from: the library itself, what was kept of it, what this package ships, a file by path."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every model type of one version of transformers, sorted by name without regard to case."""

    transformers: str
    """The version that it describes, which is not the installed one where transformers is not installed."""
    source: Source
    architectures: tuple[Architecture, ...]
    _by_type: dict[str, Architecture] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_type", {entry.model_type: entry for entry in self.architectures})

    def get(self, model_type: str) -> Architecture:
        """The architecture of that type.

        Raises:
            UnknownName: there is none; the error names the nearest ones.
        """
        try:
            return self._by_type[model_type]
        except KeyError:
            raise UnknownName("architecture", model_type, self._by_type, see="muster catalog") from None

    def __contains__(self, model_type: object) -> bool:
        return model_type in self._by_type

    def __iter__(self) -> Iterator[Architecture]:
        return iter(self.architectures)

    def __len__(self) -> int:
        return len(self.architectures)
