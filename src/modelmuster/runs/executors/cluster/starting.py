"""Starting a machine of a cluster: Ray's own command, given what was found here and the token."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from modelmuster import plugins
from modelmuster.errors import MissingDependency
from modelmuster.runs import environment, probes
from modelmuster.runs.executors.cluster import declared, joining, token

PORT = 6379


@dataclass(frozen=True, slots=True)
class Start:
    """A command with the variables that it needs on top of the environment."""

    command: list[str]
    variables: dict[str, str]


def declare(only: tuple[str, ...] = ()) -> tuple[dict[str, float], str]:
    """What this machine declares to the cluster, and its devices as JSON.

    Args:
        only: names of the targets to offer, all that are found if empty.
    """
    names = probes.select_targets(only) if only else None
    found = probes.probe_all(names)
    return declared.resources(found, plugins.targets().all(), environment.capture(found)), joining.devices(found)


def start(
    *, address: str | None, bind: str, port: int, token_file: Path | None, slots: int | None, only: tuple[str, ...] = ()
) -> Start:
    """How to start this machine.

    Args:
        address: of the head to join; None to be the head.
        bind: the address of this machine that the others reach it by.
        port: of the head.
        token_file: where the token lies; the user's own by default.
        slots: how many cells run side by side; the usable cores by default.
        only: targets to offer; all that are found if empty.

    Raises:
        MissingDependency: Ray is not installed.
        UsageError: an address that is none, no token, or one that cannot be written.
        UnknownName: a target that is not registered.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingDependency("ray", purpose="running on several machines", extra="ray")
    path = token_file or token.default_path()
    if address is None:
        token.create(path)
        place = ["--head", f"--port={port}", "--include-dashboard=false"]
    else:
        joining.host_and_port(address)
        place = [f"--address={address}"]
    variables = token.environment(path)
    resources, devices = declare(only)
    command = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *place),
        f"--node-ip-address={bind}",
        f"--num-cpus={slots or environment.usable_cores()}",
        f"--resources={json.dumps(resources)}",
        "--disable-usage-stats",
    ]
    return Start(command, {**joining.SETTINGS, **variables, declared.DEVICES_VARIABLE: devices})


def become(made: Start) -> None:
    """Replace this process by it; Ctrl-C then ends the machine's part in the cluster."""
    os.execve(made.command[0], made.command, {**os.environ, **made.variables})  # noqa: S606 - its own interpreter
