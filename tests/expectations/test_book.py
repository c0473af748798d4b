"""Files of entries, read and laid against results."""

from pathlib import Path

import pytest

from modelmuster import catalog
from modelmuster.errors import UnknownName, UsageError
from modelmuster.expectations import book
from modelmuster.records import Outcome
from run_folders import make_cell, make_record


@pytest.fixture
def known(folder):
    return book.load(folder())


def test_a_foreseen_failure_carries_its_reason_and_other_results_do_not(known):
    record = known.marked(make_record("r", make_cell(), [Outcome.FAIL, Outcome.FAIL]))
    assert [result.expected for result in record.results] == [
        None,
        "A reason made up for this test. (https://example.org/1)",
    ]


def test_a_worse_outcome_than_the_expected_is_not_excused(known):
    record = known.marked(make_record("r", make_cell(), [Outcome.PASS, Outcome.CRASH]))
    assert [result.expected for result in record.results] == [None, None]


def test_an_expected_failure_that_passes_is_stale_and_names_its_removal(known):
    passing = make_record("r", make_cell(), [Outcome.PASS, Outcome.PASS])
    (stale,) = known.stale(passing)
    assert "muster expect remove bert --check reference --target torch:cpu" in str(stale)
    assert not list(known.stale(make_record("r", make_cell(), [Outcome.PASS, Outcome.FAIL])))
    assert not list(known.stale(make_record("r", make_cell(), [Outcome.PASS, Outcome.NOT_APPLICABLE])))


def test_entries_of_other_versions_are_not_applied(known):
    assert known.on("5.23.0").entries == known.entries
    assert known.on("5.22.4").entries == ()


def test_entries_that_foresaw_nothing_are_listed(known):
    assert known.unused([make_record("r", make_cell(), [Outcome.PASS, Outcome.FAIL])]) == []
    assert known.unused([make_record("r", make_cell("bart"))]) == list(known.entries)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[expected]\n", "not valid TOML"),
        ("[bert]\ncheck = 'x'\n", r"something else than \[\[expected\]\]"),
        ("expected = 3\n", "something else"),
        ("[[expected]]\narchitecture = 'bert'\ncheck = 'reference'\noutcome = 'fail'\n", "entry 1 .*reason"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder, text, complaint):
    with pytest.raises(UsageError, match=complaint) as caught:
        book.load(folder(text))
    assert "known.toml" in str(caught.value)


def test_the_same_entry_twice_is_refused(folder, entry_text):
    with pytest.raises(UsageError, match="repeats an earlier one"):
        book.load(folder(entry_text * 2))


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        book.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("old", "new", "near"),
    [("bert", "bertt", "bert"), ('"reference"', '"refrence"', "reference"), ("torch:cpu", "torch:cpv", "torch:cpu")],
)
def test_a_name_that_does_not_exist_is_refused_with_what_was_meant(folder, entry_text, old, new, near):
    with pytest.raises(UnknownName, match=near):
        book.in_force(folder(entry_text.replace(old, new)))


def test_the_entries_of_the_package_can_be_read_and_name_what_exists():
    folder = Path(book.__file__).parent
    ours = book.load(folder)
    assert ours.entries
    assert all(entry.path.parent == folder for entry in ours.entries)
    ours.check_names(entry.model_type for entry in catalog.load().architectures)
