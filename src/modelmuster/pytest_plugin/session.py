"""What the parts of the plug-in share in one session of pytest: the executor, and how pytest-xdist parts the tests."""

from __future__ import annotations

import pytest

from modelmuster.contracts import Executor
from modelmuster.errors import MusterError
from modelmuster.runs.engines import engine

_EXECUTOR = pytest.StashKey[Executor]()


def executor(config: pytest.Config) -> Executor:
    """The executor of the options, one for the whole session and not yet connected to anything.

    Raises:
        pytest.UsageError: there is none of that name, or it takes no address.
    """
    if _EXECUTOR not in config.stash:
        name, address = config.getoption("muster_executor"), config.getoption("muster_address")
        try:
            config.stash[_EXECUTOR] = engine(name, jobs=1, address=address)
        except MusterError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_EXECUTOR]


def keep_together(config: pytest.Config) -> None:
    """Keep the tests of a cell or a file in one process of pytest-xdist, lest what they share run in several."""
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadscope"
