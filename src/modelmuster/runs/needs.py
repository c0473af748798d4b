"""What each missing package holds back: architectures, classes, checks and targets; and what it would unlock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelmuster import dependencies
from modelmuster.contracts import Probe
from modelmuster.plugins import BrokenPlugin
from modelmuster.records import Architecture

EVERY_MODEL = ("torch", "transformers")
"""What every architecture needs, whatever its own needs are."""


@dataclass(frozen=True, slots=True)
class Need:
    """One package that is not installed."""

    package: str
    install: str
    """The command that brings it."""
    architectures: tuple[str, ...]
    """Those that need it, among other things."""
    classes: int
    """Classes of these architectures."""
    unlocks: tuple[str, ...]
    """Those that lack nothing more once the command has been typed."""
    checks: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """The whole picture."""

    missing: tuple[Need, ...]
    """What holds back most comes first."""
    architectures: Mapping[str, tuple[str, ...]]
    """Everything that each architecture needs, installed or not."""


def needs(architectures: Iterable[Architecture], waiting: Iterable[BrokenPlugin], probes: Mapping[str, Probe]) -> Needs:
    """Gather what is held back.

    Args:
        architectures: those to speak of.
        waiting: plug-ins that do not load for want of a package.
        probes: what the targets found, by name.
    """
    entries = {entry.model_type: entry for entry in architectures}
    wanted = {name: (*EVERY_MODEL, *entry.requires) for name, entry in entries.items()}
    waiting = list(waiting)
    lacking = {
        name: {package for package in needed if dependencies.version(package) is None}
        for name, needed in wanted.items()
    }
    packages = {package for names in lacking.values() for package in names}
    packages |= {plugin.missing for plugin in waiting if plugin.missing}
    packages |= {name for probe in probes.values() for name in probe.missing if name in dependencies.optional()}
    found = []
    for package in packages:
        command = dependencies.install_command(package)
        brought = {other for other in packages if dependencies.install_command(other) == command}
        held = [name for name, names in lacking.items() if package in names]
        found.append(
            Need(
                package=package,
                install=command,
                architectures=tuple(held),
                classes=sum(len(entries[name].model_classes) for name in held),
                unlocks=tuple(name for name in held if lacking[name] <= brought),
                checks=tuple(
                    plugin.name for plugin in waiting if plugin.missing == package and plugin.group.endswith("checks")
                ),
                targets=tuple(name for name, probe in probes.items() if package in probe.missing),
            )
        )
    found.sort(key=lambda need: (-len(need.architectures), -len(need.checks), -len(need.targets), need.package))
    return Needs(tuple(found), wanted)
