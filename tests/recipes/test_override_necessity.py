"""Overrides are the exception: each must still be needed. A few are asked each day, in turn.

All of them, some minutes: EVERY_OVERRIDE=1 pytest tests/recipes/test_override_necessity.py
"""

from __future__ import annotations

import datetime as dt
import os

import pytest

import models
from modelmuster import catalog, plugins
from modelmuster.checks.forward import Forward
from modelmuster.errors import CannotBuild, NoInputs, Unavailable
from modelmuster.recipes import engine, overrides, prepare
from modelmuster.records import Outcome

A_DAY = 3
SHORT_SEARCH_CPU_S = 3.0
"""What is not found by then without an override is not found soon enough."""
MUCH_LARGER = 4
"""Times as many parameters: rungs that give sizes back find something for many types, at a price in every cell."""


def todays():
    names = sorted(overrides.load())
    if os.environ.get("EVERY_OVERRIDE"):
        return names
    first = dt.datetime.now(tz=dt.UTC).toordinal() * A_DAY
    return [names[(first + index) % len(names)] for index in range(A_DAY)]


def outcome(name, exercised):
    """What a type's or class's recipe comes to: kinds of input fed, whether `forward` passes, and parameters.

    With them, what a check says that the override is there for.
    """
    model_type, _, class_name = name.partition(":")
    architecture = catalog.load().get(model_type)
    try:
        subject = prepare(architecture, class_name or architecture.default_class)
    except (CannotBuild, NoInputs):
        return 0, False, 0, ""
    trial = models.trial(subject)
    passes = Forward().run(trial).outcome is Outcome.PASS
    said = plugins.checks().get(exercised).run(trial).message if exercised else ""
    return len(subject.recipe.modalities), passes, subject.recipe.parameters, said


@pytest.mark.parametrize("name", todays())
def test_without_its_override_a_recipe_is_worse(name, monkeypatch):
    exercised = overrides.load()[name].exercises
    try:
        breadth, passes, parameters, said = outcome(name, exercised)
    except Unavailable as missing:
        pytest.skip(str(missing))
    rest = {key: value for key, value in overrides.load().items() if key != name}
    monkeypatch.setattr(overrides, "load", lambda: rest)
    monkeypatch.setattr(engine, "SEARCH_CPU_S", SHORT_SEARCH_CPU_S)
    alone, still_passes, more, said_alone = outcome(name, exercised)
    worse = (alone, still_passes) < (breadth, passes) or more > MUCH_LARGER * parameters or said_alone != said
    assert worse or not passes, f"{name} runs as well without its override"
