"""Which targets tests run on: those that are asked for, else those that are found on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from modelmuster import plugins
from modelmuster.errors import MusterError
from modelmuster.pytest_plugin import session
from modelmuster.runs.probes import available_targets, select_targets

_KEY = pytest.StashKey[list[str]]()
HEADER = "modelmuster-header"
WORKER_KEY = "muster_targets"
"""Under which the names reach the processes of pytest-xdist, so that each need not look for itself."""


def chosen(config: pytest.Config) -> list[str]:
    """Names of the targets; looked for once per session, on the executor's cluster where it has one.

    Raises:
        pytest.UsageError: a name that matches nothing, or nothing that can run here.
    """
    if _KEY not in config.stash:
        config.stash[_KEY] = _handed_over(config) or _found(config)
    return config.stash[_KEY]


@dataclass(frozen=True)
class Header:
    """Says, once tests are collected, what will be real and what will not."""

    names: Sequence[str]

    def pytest_report_collectionfinish(self) -> list[str]:
        """A line for each target."""
        return [label(name) for name in self.names]


def label(name: str) -> str:
    """The target with its kind of inference: a mark beside a word."""
    inference = plugins.targets().get(name).inference
    return f"muster: {name} {inference.mark} {inference.value}"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Once for each target, with the target as a mark: `-m torch_cpu`."""
    names = chosen(metafunc.config)
    if not (metafunc.config.pluginmanager.has_plugin(HEADER) or metafunc.config.getoption("muster")):
        metafunc.config.pluginmanager.register(Header(names), HEADER)
    marked = [pytest.param(name, id=name, marks=getattr(pytest.mark, mark(metafunc.config, name))) for name in names]
    metafunc.parametrize("muster_target", marked, indirect=True, scope="module")


def mark(config: pytest.Config, target: str) -> str:
    """The mark of a target, made known to pytest."""
    name = "".join(character if character.isalnum() else "_" for character in target)
    line = f"{name}: runs on {target}"
    if line not in config.getini("markers"):
        config.addinivalue_line("markers", line)
    return name


def _handed_over(config: pytest.Config) -> list[str]:
    return list(getattr(config, "workerinput", {}).get(WORKER_KEY, ()))


def _found(config: pytest.Config) -> list[str]:
    asked = config.getoption("muster_target")
    try:
        # What is asked for by its full name is not looked for here: it answers for itself when a test runs on it.
        if asked and all(name in plugins.targets().names() for name in asked):
            return list(asked)
        found = select_targets(asked) if asked else available_targets(session.executor(config))
    except MusterError as error:
        raise pytest.UsageError(str(error)) from error
    if not found:
        raise pytest.UsageError("nothing can run here: no target is available; see: muster doctor")
    return found
