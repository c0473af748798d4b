"""Special token ids: moved jointly into the small vocabulary, so that ids that were equal or different stay so."""

from __future__ import annotations

from typing import Any

from modelmuster.recipes.shrink.sizes import VOCABULARY

KEPT_BELOW = 40
"""Ids below stay as they are: padding, begin and end are usually there, and models compare some with constants."""


class TokenIds:
    """One mapping for a whole config tree: a parent's image token must stay its text config's image token."""

    def __init__(self) -> None:
        self._moved: dict[int, int] = {}

    def move(self, value: Any) -> Any:
        """The id in the small vocabulary; lists entry by entry, anything but an id unchanged."""
        if isinstance(value, (list, tuple)):
            return type(value)(self.move(entry) for entry in value)
        if not isinstance(value, int) or isinstance(value, bool) or value < KEPT_BELOW:
            return value
        if value not in self._moved:
            # From the top down; ordinary ids of the inputs are drawn from the middle.
            self._moved[value] = max(KEPT_BELOW, VOCABULARY - 1 - len(self._moved))
        return self._moved[value]
