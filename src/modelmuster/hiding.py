"""`MUSTER_HIDE=timm,torchaudio`: Python behaves as if these were not installed, in this process and in its children.

For trying what a partial environment does without building one. A hidden package cannot be imported or found, and has
no metadata. It starts with the import of this package, so what was imported before stays; children inherit it with the
environment.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from modelmuster import dependencies

VARIABLE = "MUSTER_HIDE"


class HidingFinder:
    """Stands before another finder and answers nothing when it is asked for what is hidden."""

    def __init__(self, finder: Any, hidden: Hidden) -> None:
        self._finder, self._hidden = finder, hidden

    def __getattr__(self, name: str) -> Any:
        """Everything else is the other finder's."""
        return getattr(self._finder, name)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module is, or None as for one that does not exist."""
        if name.partition(".")[0] in self._hidden.modules:
            return None
        found: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return found

    def find_distributions(self, *context: Any) -> Iterator[metadata.Distribution]:
        """The installed distributions that are not hidden."""
        for found in getattr(self._finder, "find_distributions", lambda *_: ())(*context):
            if dependencies.normal(found.name) not in self._hidden.distributions:
                yield found


class Hidden:
    """Distributions that are hidden, with their modules."""

    def __init__(self, names: Iterable[str]) -> None:
        self.distributions = frozenset(dependencies.normal(dependencies.distribution_of(name)) for name in names)
        self.modules = frozenset(module for name in self.distributions for module in dependencies.modules_of(name))


def hide(names: Iterable[str]) -> None:
    """Hide distributions, or modules by whose names they are known, from now on.

    What this package cannot do without, and what has been imported before, stays visible, with a warning.
    """
    wanted = {name.strip() for name in names if name.strip()}
    core = {name for name in wanted if dependencies.is_core(dependencies.distribution_of(name))}
    hidden = Hidden(wanted - core)
    late = sorted(hidden.modules & sys.modules.keys())
    for reason, left in (("needed by this package itself", sorted(core)), ("imported already", late)):
        if left:
            warnings.warn(f"{VARIABLE} cannot hide {', '.join(left)}: {reason}", stacklevel=2)
    sys.meta_path[:] = [HidingFinder(finder, hidden) for finder in sys.meta_path]


def hide_what_is_asked() -> None:
    """Hide what `$MUSTER_HIDE` names."""
    hide(os.environ.get(VARIABLE, "").split(","))
