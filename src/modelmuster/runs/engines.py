"""An executor by its name, set up as options say: for the command line and for pytest alike."""

from __future__ import annotations

from modelmuster import plugins
from modelmuster.contracts import Cluster, Executor
from modelmuster.errors import UsageError


def engine(
    name: str = "local",
    *,
    jobs: int | None = None,
    per_device: int = 4,
    address: str | None = None,
    allow_mixed: bool = False,
) -> Executor:
    """The executor of that name, not yet connected to anything.

    Args:
        name: under which it is registered.
        jobs: cells at a time; its own choice if None.
        per_device: cells that share a device.
        address: of a cluster.
        allow_mixed: whether machines with different software may take part.

    Raises:
        UnknownName: there is none.
        UsageError: an address for an executor that needs none.
    """
    executor = plugins.executors().get(name)
    if jobs is not None:
        executor.slots = jobs
    executor.per_device = per_device
    if isinstance(executor, Cluster):
        executor.address, executor.allow_mixed = address, allow_mixed
    elif address is not None:
        raise UsageError(f"the executor {name} takes no address", hint="for a cluster: --executor ray --address …")
    return executor
