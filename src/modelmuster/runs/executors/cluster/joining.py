"""Joining a cluster, and only the one that was named: a stray cluster that happens to run here is never taken."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from modelmuster import plugins
from modelmuster.contracts import Node, Probe
from modelmuster.errors import InfrastructureError, MissingDependency, UsageError
from modelmuster.records import Environment
from modelmuster.runs import environment, probes
from modelmuster.runs.environment import usable_cores
from modelmuster.runs.executors.cluster import declared, task, token

LOCAL = "local"
"""The address of a cluster that lives in this machine and ends with the run."""

KNOCK_S = 10.0
"""How long the head may take to answer at all."""

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray would kill a worker of a machine that is short of memory: the limits of a cell are ours.
    "RAY_memory_monitor_refresh_ms": "0",
    # Ray makes its workers yield to everything else; a cell is to run there as it runs here.
    "RAY_worker_niceness": "0",
}
"""Variables of Ray that differ from its defaults, on the driver and on every machine."""

DESCRIBE_S = 60.0
"""A node that takes longer to start one worker is of no use."""


def join(address: str | None) -> None:
    """Connect this process to the cluster.

    Raises:
        UsageError: no address or no token.
        MissingDependency: Ray is not installed.
        InfrastructureError: nobody answers there, or the token is not the cluster's.
    """
    if not address:
        raise UsageError(
            "which cluster? No address was given",
            hint="name it: --address HOST:PORT; or --address local for a cluster of this machine alone",
        )
    if address != LOCAL:
        # Before the import: Ray reads its variables once.
        os.environ.update(token.environment(token.default_path()))
        _knock(address)
    ray = load()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        found = probes.probe_all()
        os.environ[declared.DEVICES_VARIABLE] = devices(found)
        options |= {
            "num_cpus": usable_cores(),
            "resources": declared.resources(found, plugins.targets().all(), environment.capture()),
            "include_dashboard": False,
        }
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        first = str(error).strip().partition("\n")[0]
        raise InfrastructureError(
            f"cannot join the cluster at {address}: {type(error).__name__}: {first}",
            hint="is `muster worker --head` running there, and is the token the same?",
        ) from error


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of an address.

    Raises:
        UsageError: it is none.
    """
    host, _, number = address.rpartition(":")
    if not host or not number.isdigit() or int(number) > 65535:
        raise UsageError(f"cannot read the address {address!r}", hint="it is HOST:PORT, such as 10.0.0.1:6379")
    return host, int(number)


def _knock(address: str) -> None:
    """See at once that nobody answers, which takes Ray minutes."""
    try:
        socket.create_connection(host_and_port(address), timeout=KNOCK_S).close()
    except OSError as error:
        raise InfrastructureError(
            f"cannot join the cluster at {address}: {error.strerror or error}",
            hint="start its head there: muster worker --head",
        ) from error


def load() -> Any:
    """The module `ray`, told not to report home.

    Raises:
        MissingDependency: it is not installed.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise MissingDependency("ray", purpose="running on several machines", extra="ray") from error
    return ray


def devices(found: Mapping[str, Probe]) -> str:
    """The devices of the available targets, as `task.describe` reads them."""
    return json.dumps({name: probe.device_name or probe.reason for name, probe in found.items() if probe.available})


def nodes() -> list[Node]:
    """Every node that Ray knows, dead ones too."""
    import ray

    return [
        Node(
            name=task.name_of(entry["NodeManagerHostname"], entry["NodeID"]),
            slots=int(entry["Resources"].get("CPU", 0)),
            targets=declared.targets_of(entry["Resources"]),
            alive=entry["Alive"],
        )
        for entry in ray.nodes()
    ]


def describe_nodes(known: Collection[str] = ()) -> dict[str, Environment]:
    """The environment of each living node, by its name; those of `known` names are left out.

    Raises:
        InfrastructureError: a node does not answer, or with something else.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(max_retries=2, num_cpus=0)(task.describe)
    asked = {}
    for entry in ray.nodes():
        name = task.name_of(entry["NodeManagerHostname"], entry["NodeID"])
        if entry["Alive"] and name not in known and declared.targets_of(entry["Resources"]):
            place = NodeAffinitySchedulingStrategy(entry["NodeID"], soft=False)
            asked[name] = ask.options(scheduling_strategy=place).remote()
    try:
        return {name: task.read_environment(ray.get(answer, timeout=DESCRIBE_S)) for name, answer in asked.items()}
    except (ray.exceptions.RayError, msgspec.DecodeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise InfrastructureError(
            f"a node of the cluster does not describe itself: {type(error).__name__}: {first}",
            hint="modelmuster must be installed in the same version on every machine",
        ) from error


def refuse_mixed(found: Mapping[str, Environment]) -> None:
    """Machines with different software give results that must not be compared.

    Raises:
        UsageError: two of them differ.
    """
    names = list(found)
    for name in names[1:]:
        differing = environment.differences(environment.software(found[names[0]]), environment.software(found[name]))
        if differing:
            raise UsageError(
                f"the machines {names[0]} and {name} differ: {', '.join(differing)}",
                hint="install the same versions, or mix results knowingly with --allow-mixed",
            )
