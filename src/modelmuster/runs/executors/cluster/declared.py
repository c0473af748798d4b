"""What a node declares to Ray, and what a cell asks for: names of resources, and nothing else, decide the placement.

A node has one `target:NAME` for each target that was found on it, one of each device that cells occupy, and one
`software:HASH` for the versions that change results. A cell asks for a ten-thousandth of the first and the last, which
only says where it may go, and for its share of each device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from modelmuster.contracts import Probe, Target
from modelmuster.records import Environment
from modelmuster.runs.environment import software

DEVICES_VARIABLE = "MODELMUSTER_NODE_DEVICES"
"""JSON object of the devices by target; handed from `muster worker` to whatever runs on that node."""

_MARK = 0.0001
"""The least share of a resource that Ray can account for."""


def resources(found: Mapping[str, Probe], targets: Iterable[Target], environment: Environment) -> dict[str, float]:
    """What a node declares.

    Args:
        found: what each target found on it.
        targets: the registered targets.
        environment: the node's own.
    """
    declared = {f"software:{software_hash(environment)}": 1.0}
    for target in targets:
        probe = found.get(target.name)
        if probe is not None and probe.available:
            declared[f"target:{target.name}"] = 1.0
            declared.update(dict.fromkeys(target.resources, 1.0))
    return declared


def demand(target: Target, per_device: int, software: str | None) -> dict[str, float]:
    """What a cell of this target asks for.

    Args:
        target: where the cell is to run.
        per_device: how many cells share a device.
        software: the hash of the versions that it must meet, None to meet any.
    """
    wanted = {f"target:{target.name}": _MARK, **dict.fromkeys(target.resources, 1.0 / per_device)}
    if software is not None:
        wanted[f"software:{software}"] = _MARK
    return wanted


def targets_of(declared: Iterable[str]) -> tuple[str, ...]:
    """The targets among the resources of a node."""
    return tuple(sorted(name.partition(":")[2] for name in declared if name.startswith("target:")))


def software_hash(environment: Environment) -> str:
    """Equal for machines whose results may be mixed."""
    versions = json.dumps(software(environment), sort_keys=True)
    return hashlib.sha256(versions.encode()).hexdigest()[:12]
