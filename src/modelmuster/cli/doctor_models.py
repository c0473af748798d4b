"""`muster doctor --models`: what missing packages hold back and would unlock, and what each architecture needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmuster.contracts import Probe
    from modelmuster.runs.needs import Needs

_NAMES_SHOWN = 12


def gather(found: Mapping[str, Probe]) -> Needs:
    """What is held back on this machine, of all top-level architectures."""
    from modelmuster import catalog, plugins
    from modelmuster.runs.needs import needs

    return needs((entry for entry in catalog.load() if entry.top_level), plugins.waiting_plugins(), found)


def show(found: Needs) -> None:
    """Packages first, then the architectures that need more than torch and transformers."""
    from modelmuster.cli.console import out
    from modelmuster.runs.needs import EVERY_MODEL

    console = out()
    if not found.missing:
        console.print("No architecture, check or target waits for a package.")
    for need in found.missing:
        console.print(f"{need.package} is missing: {need.install}", markup=False, style="bold")
        if need.architectures:
            console.print(f"  holds back {len(need.architectures)} architectures with {need.classes} classes")
            console.print(f"  would unlock {len(need.unlocks)}: {_some(need.unlocks)}", markup=False, soft_wrap=True)
        for kind, names in (("checks", need.checks), ("targets", need.targets)):
            if names:
                console.print(f"  {kind}: {', '.join(names)}", markup=False, soft_wrap=True)
    console.print(f"Every architecture needs {' and '.join(EVERY_MODEL)}; these need more:", markup=False)
    for model_type, needed in found.architectures.items():
        more = [name for name in needed if name not in EVERY_MODEL]
        if more:
            console.print(f"  {model_type:32} {', '.join(more)}", markup=False, soft_wrap=True)


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN]) or "none by itself"
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown
