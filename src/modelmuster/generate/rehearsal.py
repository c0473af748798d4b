"""The tests of a file, tried on the model that its blueprint was read from: what does not hold of it is not asked.

A question may fit a class by its signature and still make no sense of this model: one that merges tokens has no
causality token by token. Where the check of the same name finds a fault in the model itself, the test stays and fails.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmuster import plugins
from modelmuster.contracts import Trial
from modelmuster.generate.blueprint import Blueprint
from modelmuster.generate.render import Style, render
from modelmuster.records import Outcome

TESTS = {
    "test_decoder_causality": "encoder_decoder",
    "test_encoder_reaches_decoder": "encoder_decoder",
    "test_encoder_padding": "encoder_decoder",
    "test_towers_meet": "transposed",
    "test_last_frame_matters": "frames",
}
"""The questions that tests belong to which are not called after them."""


def rehearsed(blueprint: Blueprint, trial: Trial, given: Callable[[], Mapping[str, Any]]) -> Blueprint:
    """The blueprint without what does not hold.

    Args:
        blueprint: what a file would be made of.
        trial: the model.
        given: makes the arguments that tests may ask for, anew for each test.
    """
    space: dict[str, Any] = {}
    exec(compile(render(blueprint, Style()), "rehearsal", "exec"), space)  # noqa: S102 - written by our templates
    tests = {name: test for name, test in space.items() if name.startswith("test_") and name != "test_forward"}
    wrong = {name for name, test in tests.items() if not _holds(test, given())}
    carriers = tuple(one for one in blueprint.carriers if f"test_{one.name}_matter" not in wrong)
    left_out = {TESTS.get(name, name.removeprefix("test_")) for name in wrong}
    left_out = {name for name in left_out if name not in blueprint.questions or not _is_a_finding(name, trial)}
    questions = set(blueprint.questions) - left_out - (set() if carriers else {"influence"})
    return msgspec.structs.replace(
        blueprint, carriers=carriers, questions=tuple(sorted(questions)), left_out=tuple(sorted(left_out))
    )


def _holds(test: Callable[..., None], given: Mapping[str, Any]) -> bool:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        offered = {**given, "tmp_path": Path(folder), "monkeypatch": patch}
        try:
            test(**{name: offered[name] for name in inspect.signature(test).parameters})
        except Exception:  # noqa: BLE001 - a test may fail in any way
            return False
    return True


def _is_a_finding(question: str, trial: Trial) -> bool:
    """Whether the check of that name says that the model is wrong, or fails at it as the test does."""
    if question not in plugins.checks().names():
        return False
    try:
        return plugins.checks().get(question).run(trial).outcome is Outcome.FAIL
    except Exception:  # noqa: BLE001 - recorded as an error where checks run for their own sake
        return True
