"""Two sides compared: each kind of change, and what is none."""

import msgspec
import pytest

from modelmuster.history.changes import Kind, compare
from modelmuster.history.side import Answer, Side
from modelmuster.records import FINDINGS, Outcome, Package
from run_folders import make_environment

P, F, C, U, N = Outcome.PASS, Outcome.FAIL, Outcome.CRASH, Outcome.UNAVAILABLE, Outcome.NOT_APPLICABLE


def side(name, *answers, environment=None):
    found = {("bert|…", f"check{number}"): answer for number, answer in enumerate(answers) if answer is not None}
    return Side(name, environment or make_environment(), found)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (Answer(P), Answer(F), Kind.NEW_FAILURE),
        (Answer(U), Answer(F), Kind.NEW_FAILURE),
        (Answer(F, expected=True), Answer(F), Kind.NEW_FAILURE),
        (None, Answer(F), Kind.FIRST_FAILURE),
        (Answer(F), Answer(C), Kind.OTHER_FAILURE),
        (Answer(F), Answer(P), Kind.FIXED),
        (Answer(P), Answer(U), Kind.UNANSWERED),
        (Answer(P), Answer(Outcome.NOT_RUN), Kind.UNANSWERED),
        (Answer(U), Answer(P), Kind.ANSWERED),
        (Answer(P), None, Kind.GONE),
        (Answer(P), Answer(P), None),
        (Answer(F), Answer(F), None),
        (Answer(P), Answer(F, expected=True), None),
        (Answer(U), Answer(N), None),
        (None, Answer(P), None),
    ],
)
def test_each_pair_of_answers_is_one_kind_of_change_or_none(before, after, kind):
    comparison = compare(side("old", before), side("new", after))
    assert [change.kind for change in comparison.changes] == ([kind] if kind else [])


@pytest.mark.parametrize("outcome", sorted(FINDINGS))
def test_no_finding_that_appears_goes_unnoticed(outcome):
    assert compare(side("old", Answer(P)), side("new", Answer(outcome))).of(Kind.NEW_FAILURE)


def test_what_differs_between_the_machines_is_said():
    other = msgspec.structs.replace(
        make_environment(),
        cpu="another processor",
        packages=(Package(name="torch", version="2.14.0"), Package(name="timm", version=None)),
    )
    comparison = compare(side("old", Answer(P)), side("new", Answer(P), environment=other))
    assert comparison.environment == ("processor AMD EPYC → another processor", "torch 2.13.0 → 2.14.0")
    assert not comparison.unknown_environment
    assert compare(Side("old", None, {}), side("new", Answer(P))).unknown_environment
