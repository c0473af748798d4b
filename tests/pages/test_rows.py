"""What tables are found, sorted and taken away by."""

import csv

import pytest

from modelmuster.pages import rows
from modelmuster.pages.blocks import Bar, Code, Link, Mark, Soft, Table, heads, to
from modelmuster.pages.words import milliseconds, number, percent, quantity
from modelmuster.records import Outcome
from modelmuster.views.rates import Tally


def table(*lines):
    return Table("some", heads("name", "#how much"), lines, "none")


TIMES = table(
    ("a", milliseconds(1200.0)), ("b", milliseconds(300.0)), ("c", milliseconds(None)), ("d", milliseconds(9000.0))
)


def names(table, order):
    return "".join(row[0] for row in rows.ranked(table, table.rows, order))


def test_times_are_sorted_by_what_they_are_and_not_by_their_digits():
    assert [row[1] for row in TIMES.rows] == ["1.2 s", "300 ms", "–", "9 s"]
    assert names(TIMES, "1") == "badc"
    assert names(TIMES, "-1") == "dabc"


def test_shares_sizes_and_counts_are_sorted_by_what_they_are():
    shares = table(("a", percent(0.9999)), ("b", percent(0.5)), ("c", percent(1.0)), ("d", percent(0.0001)))
    assert [row[1] for row in shares.rows] == ["> 99.9 %", "50.0 %", "100.0 %", "< 0.1 %"]
    assert names(shares, "1") == "dbac"
    sizes = table(("a", quantity(2**31, "x_bytes")), ("b", quantity(2**20, "x_bytes")), ("c", "1 / 7"), ("d", "–"))
    assert names(sizes, "1") == "cbad"
    counts = table(("a", number(1_000_000)), ("b", number(999)), ("c", f"{number(2000)} / {number(3)}"))
    assert names(counts, "1") == "bca"


def test_words_are_sorted_as_words():
    mixed = table((Code("beta"), "1"), (Link("Alpha", to("model")), "2"), ((Mark(Outcome.PASS), "gamma"), "3"))
    assert [rows.words(row[0]) for row in rows.ranked(mixed, mixed.rows, "0")] == ["Alpha", "beta", "passgamma"]


@pytest.mark.parametrize("order", ["", "2", "-", "-9", "x", "1e3", "--1"])
def test_an_order_that_is_none_leaves_rows_as_they_stand(order):
    assert names(TIMES, order) == "abcd"


def test_rows_are_found_by_all_their_words_and_excluded_by_one():
    several = table(("bert", Soft("vision")), ("vit", "vision text"), (Bar(Tally({Outcome.OOM: 2})), "bert"))
    assert len(rows.found(several.rows, ["vision"])) == 2
    assert rows.found(several.rows, ["vision", "!text"]) == [several.rows[0]]
    assert rows.found(several.rows, ["oom"]) == [several.rows[2]]


def test_a_file_of_a_table_says_what_the_table_says():
    hostile = 'a "quoted", name\nof two lines'
    lines = list(csv.reader(rows.as_csv(table((hostile, number(1000))), [(hostile, number(1000))]).splitlines(True)))
    assert lines == [["name", "how much"], [hostile, "1\u202f000"]]
