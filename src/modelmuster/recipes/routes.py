"""Remembered routes: where a search ended, so that the next one goes there at once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from modelmuster import atomic
from modelmuster.recipes import identity
from modelmuster.records import Scale


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a search ended, in success or in its most telling failure."""

    rung: int
    """Index into the relaxation ladder."""
    repaired: bool
    """Whether missing fields were filled."""
    layout: str | None
    """Name of the input layout; None where no model could be built."""
    accepted: bool


class Routes:
    """A folder with one small JSON file per search; all of it can be deleted."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def recall(self, key: str) -> Route | None:
        """The remembered route; None where there is none that can be read."""
        if self._folder is None:
            return None
        try:
            return msgspec.json.decode((self._folder / f"{key}.json").read_bytes(), type=Route)
        except (OSError, msgspec.DecodeError):
            return None

    def remember(self, key: str, route: Route) -> None:
        """Write the route; several processes may do so at once. A full disk costs the memory, not the result."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            atomic.replace(self._folder / f"{key}.json", msgspec.json.encode(route))
        except OSError:
            return


def route_key(model_type: str, model_class: str, scale: Scale, seed: int) -> str:
    """SHA-256 over all that decides where a search ends: versions, this layer's source and overrides, the question."""
    return identity.digest(
        {
            "versions": identity.versions_of(model_type),
            "source": identity.source_hash(),
            "model_type": model_type,
            "model_class": model_class,
            "scale": scale.value,
            "seed": seed,
        }
    )
