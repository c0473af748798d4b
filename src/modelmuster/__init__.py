"""modelmuster: every Hugging Face architecture, on every runtime you have, really run and honestly reported.

From Python, the steps of `muster run` are these:

    >>> import modelmuster as mm
    >>> catalog = mm.load_catalog()
    >>> plan = mm.make_plan([catalog.get("bert")], targets=["torch:cpu"], checks=["forward", "reference"])
    >>> summary = mm.run(plan, mm.LocalExecutor(), mm.Home.find())

`mm.prepare(catalog.get("bert"), "BertModel")` gives one tiny model with its inputs, in this very process.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmuster.catalog import load as load_catalog
    from modelmuster.contracts import Check, Executor, Limits, Session, Target
    from modelmuster.recipes import prepare
    from modelmuster.records import Architecture, Cell, CellRecord, Finding, Outcome, Plan, Recipe, Result
    from modelmuster.runs.executors.local import LocalExecutor
    from modelmuster.runs.plan import make_plan
    from modelmuster.runs.runner import run
    from modelmuster.settings import Home

__version__ = "0.1.0"

_HOMES = {
    "load_catalog": ("modelmuster.catalog", "load"),
    "prepare": ("modelmuster.recipes", "prepare"),
    "make_plan": ("modelmuster.runs.plan", "make_plan"),
    "run": ("modelmuster.runs.runner", "run"),
    "LocalExecutor": ("modelmuster.runs.executors.local", "LocalExecutor"),
    "Home": ("modelmuster.settings", "Home"),
    **{name: ("modelmuster.contracts", name) for name in ("Check", "Executor", "Limits", "Session", "Target")},
    **{
        name: ("modelmuster.records", name)
        for name in ("Architecture", "Cell", "CellRecord", "Finding", "Outcome", "Plan", "Recipe", "Result")
    },
}
"""Module and name of everything public, imported when first asked for, so that the command line starts at once."""

__all__ = [
    "Architecture",
    "Cell",
    "CellRecord",
    "Check",
    "Executor",
    "Finding",
    "Home",
    "Limits",
    "LocalExecutor",
    "Outcome",
    "Plan",
    "Recipe",
    "Result",
    "Session",
    "Target",
    "load_catalog",
    "make_plan",
    "prepare",
    "run",
]

if os.environ.get("MUSTER_HIDE"):
    from modelmuster.hiding import hide_what_is_asked

    hide_what_is_asked()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
