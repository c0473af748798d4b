"""Baseline files: what is written comes back, and what is no baseline is refused in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmuster.errors import UsageError
from modelmuster.history import side
from modelmuster.history.side import Answer, Side
from modelmuster.records import FINDINGS, Outcome
from run_folders import make_environment

answers = st.builds(Answer, st.sampled_from(list(Outcome)), st.booleans()).map(
    lambda answer: answer if answer.outcome in FINDINGS else Answer(answer.outcome)
)
questions = st.tuples(st.text(min_size=1, max_size=8), st.sampled_from(["forward", "reference", "cache"]))


@given(st.dictionaries(questions, answers, max_size=12))
def test_a_side_comes_back_as_it_was_written(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    written = Side("run-1", make_environment(), found)
    side.write(written, path)
    assert side.read(path) == written


def changed(change):
    def make(path):
        side.write(Side("run-1", None, {("bert", "forward"): Answer(Outcome.PASS)}), path)
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return make


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("no json"), "is no baseline"),
        (lambda path: path.write_text("{}"), "is no baseline"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is no baseline"),
        (changed(lambda content: content.update(format=99)), "format 99"),
        (changed(lambda content: content["answers"].update(bert="?")), "is no baseline"),
        (changed(lambda content: content["answers"].update(bert="OO")), "is no baseline"),
        (changed(lambda content: content.update(more=1)), "is no baseline"),
        (lambda path: path.mkdir(), "cannot read"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path, damage, said):
    path = tmp_path / "b.json"
    damage(path)
    with pytest.raises(UsageError, match=said):
        side.read(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot write"):
        side.write(Side("r", None, {}), tmp_path / "nowhere" / "b.json")
