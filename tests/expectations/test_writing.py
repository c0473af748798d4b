"""Entries written from runs, without harm to what people wrote."""

import msgspec
import pytest

from modelmuster.errors import UsageError
from modelmuster.expectations import book, writing
from modelmuster.records import Outcome
from run_folders import make_cell, make_record, make_result

FAILED = (Outcome.PASS, Outcome.FAIL)
REASON = "It is known upstream since long."


def attempts(first, second, **changes):
    cell = make_cell(**changes)
    return [
        make_record("r", cell, first, attempt=1, final=False),
        make_record("r", cell, second, attempt=2, final=True),
    ]


def test_only_a_finding_that_both_attempts_agree_on_is_proposed():
    agreed, differs = attempts(FAILED, FAILED), attempts(FAILED, (Outcome.PASS, Outcome.CRASH), model_type="bart")
    once = [make_record("r", make_cell("t5"), FAILED)]
    found = writing.propose([*agreed, *differs, *once])
    assert [proposal.record.cell.model_type for proposal in found.reproduced] == ["bert"]
    assert [proposal.record.cell.model_type for proposal in found.seen_once] == ["bart", "t5"]


def test_what_was_expected_already_is_not_proposed():
    result = make_result("reference", Outcome.FAIL, expected="known")
    record = make_record("r", make_cell(), results=[result])
    assert writing.propose([record]) == writing.Proposals((), ())


def test_a_written_entry_foresees_the_finding_it_came_from(tmp_path):
    first, second = attempts(FAILED, FAILED)
    (proposal,) = writing.propose([first, second]).reproduced
    (change,) = writing.add(tmp_path / "new", [proposal.table("5.23.0", reason=REASON, link="https://example.org")])
    assert "+[[expected]]" in change.diff
    change.write()
    marked = book.load(tmp_path / "new").on("5.23.0").marked(second)
    assert marked.results[1].expected == f"{REASON} (https://example.org)"


def test_a_reason_that_nobody_gave_is_a_placeholder_that_is_refused(tmp_path):
    (proposal,) = writing.propose(attempts(FAILED, FAILED)).reproduced
    (change,) = writing.add(tmp_path, [proposal.table("5.23.0", reason="", link="")])
    change.write()
    with pytest.raises(UsageError, match="must be a sentence"):
        book.load(tmp_path)


def test_adding_keeps_comments_and_adds_nothing_twice(folder):
    made = folder("# a note\n", name="reference.toml")
    (proposal,) = writing.propose(attempts(FAILED, FAILED)).reproduced
    table = proposal.table("5.23.0", reason=REASON, link="")
    (change,) = writing.add(made, [table])
    change.write()
    assert (made / "reference.toml").read_text().startswith("# a note\n")
    (again,) = writing.add(made, [table])
    assert not again.diff


def test_removing_takes_that_entry_only_and_an_empty_file_goes(folder, entry_text):
    made = folder("# kept\n" + entry_text + entry_text.replace("bert", "bart"))
    path = made / "known.toml"
    wanted = {"architecture": "bert", "check": "reference", "target": "torch:cpu"}
    (change,) = writing.remove([path], wanted)
    change.write()
    assert "# kept" in path.read_text()
    assert [entry.expectation.architecture for entry in book.load(made).entries] == ["bart"]
    assert writing.remove([path], wanted) == []
    path.write_text(entry_text)
    (last,) = writing.remove([path], wanted)
    last.write()
    assert not path.exists()


def test_a_narrower_entry_is_not_the_one_to_remove(folder, entry_text):
    made = folder(entry_text)
    assert writing.remove([made / "known.toml"], {"architecture": "bert", "check": "reference"}) == []


def test_removing_undoes_what_updating_wrote_whatever_the_scale(tmp_path):
    cell = msgspec.structs.replace(make_cell(), dtype="bfloat16")
    records = [
        make_record("r", cell, FAILED, attempt=1, final=False),
        make_record("r", cell, FAILED, attempt=2, final=True),
    ]
    (proposal,) = writing.propose(records).reproduced
    (change,) = writing.add(tmp_path, [proposal.table(None, reason=REASON, link="")])
    change.write()
    (entry,) = book.load(tmp_path).entries
    assert "--dtype bfloat16" in entry.expectation.removal()
