"""Is the machine idle enough to measure on? Asked before a run that measures begins."""

from __future__ import annotations

from collections.abc import Iterable

from modelmuster import plugins
from modelmuster.errors import UsageError
from modelmuster.measure import surroundings
from modelmuster.runs.measuring import BUSY_CORES

LOOK_SECONDS = 1.0


def disturbances(targets: Iterable[str]) -> list[str]:
    """What would disturb a measurement on these targets now."""
    found = []
    busy = surroundings.others_cores(LOOK_SECONDS)
    if busy > BUSY_CORES:
        found.append(f"other processes keep {busy:.1f} cores busy")
    devices = {device for name in targets for device in plugins.targets().get(name).resources}
    if "cuda" in devices and (others := surroundings.others_on_card()):
        found.append(f"the card is in use by {', '.join(others)}")
    return found


def insist(targets: Iterable[str]) -> None:
    """Refuse to measure on a machine that is not idle.

    Raises:
        UsageError: it is not.
    """
    if found := disturbances(targets):
        raise UsageError(
            f"this machine is not idle: {'; '.join(found)}",
            hint="stop them, or measure all the same, with every row flagged: muster measure --noisy …",
        )
