"""The search finds the release in which the answer changed, and asks no more than it must."""

from hypothesis import given
from hypothesis import strategies as st

from modelmuster.history.bisection import Found, Verdict, search


@given(st.data())
def test_the_change_lies_between_the_two_that_are_named(data):
    count = data.draw(st.integers(2, 40))
    turned = data.draw(st.integers(1, count - 1))
    silent = data.draw(st.sets(st.integers(1, count - 2))) if count > 2 else set()
    releases = [str(place) for place in range(count)]
    asked = []

    def ask(release):
        asked.append(release)
        place = int(release)
        if place in silent:
            return Verdict.UNDECIDED
        return Verdict.GOOD if place < turned else Verdict.BAD

    found = search(releases, ask)
    assert int(found.last_good) < turned <= int(found.first_bad)
    assert {int(release) for release in found.undecided} <= silent
    assert set(range(int(found.last_good) + 1, int(found.first_bad))) == {int(release) for release in found.undecided}
    assert len(asked) == len(set(asked))
    if not silent:
        assert len(asked) <= count.bit_length()


def test_neighbours_need_no_question():
    assert search(["1", "2"], lambda _: Verdict.GOOD) == Found("1", "2", ())
