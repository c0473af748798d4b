"""Values inside values."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from modelmuster.nested import members_of, rebuilt


@dataclass
class Pair:
    first: int
    rest: list[int]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, (2, 3)], [10, (20, 30)]),
        ({"a": 1, "b": {"c": 2}}, {"a": 10, "b": {"c": 20}}),
        (Pair(1, [2, 3]), Pair(10, [20, 30])),
        ("text", "text"),
    ],
)
def test_every_member_is_changed_and_the_containers_stay(value, expected):
    def tenfold(member):
        return member * 10 if isinstance(member, int) else rebuilt(member, tenfold)

    assert rebuilt(value, tenfold) == expected


def test_members_have_names_or_indices():
    assert members_of(Pair(1, [2])) == [("first", 1), ("rest", [2])]
    assert members_of([7]) == [("0", 7)]
    assert members_of({"a": 1}) == [("a", 1)]
    assert members_of("text") == []
