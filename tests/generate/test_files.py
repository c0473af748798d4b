"""People's work is never lost: what is renewed, kept, merged, refused."""

import os

import pytest

from modelmuster.errors import UsageError
from modelmuster.generate import files, header
from modelmuster.generate.drafts import Draft
from modelmuster.generate.files import Fate

BODY = "import torch\n\n\ndef test_one():\n    assert 1 == 1\n\n\ndef test_two():\n    assert 2 == 2\n"


@pytest.fixture
def draft(make_blueprint):
    """Make a draft whose body is this text."""

    def make(body=BODY, problem=""):
        blueprint = make_blueprint()
        text = header.stamped(f'"""x"""\n{header.PLACE}\n{body}', blueprint, standalone=False, checks=())
        return Draft(name="test_tiny.py", blueprint=blueprint, text=text, problem=problem)

    return make


@pytest.fixture
def place(tmp_path, home):
    """Decide about a draft and carry it out."""

    def place(draft, *, force=False, update=False):
        change = files.decide(draft, tmp_path / "out" / draft.name, home, force=force, update=update)
        files.write(change, home)
        return change

    return place


def test_a_new_file_is_written_and_then_unchanged(draft, place):
    made = place(draft())
    assert made.fate is Fate.NEW
    assert made.path.read_text() == draft().text
    assert place(draft()).fate is Fate.UNCHANGED


def test_an_untouched_file_is_renewed(draft, place):
    place(draft())
    changed = draft(BODY.replace("2 == 2", "3 == 3"))
    made = place(changed)
    assert made.fate is Fate.RENEWED
    assert made.path.read_text() == changed.text
    assert "-    assert 2 == 2" in made.diff


def test_an_edited_file_is_kept_without_force(draft, place):
    path = place(draft()).path
    edited = path.read_text().replace("1 == 1", "True")
    path.write_text(edited)
    kept = place(draft(BODY + "\n\ndef test_three():\n    pass\n"))
    assert kept.fate is Fate.KEPT
    assert "--update" in kept.note
    assert path.read_text() == edited
    assert place(draft(), force=True).fate is Fate.OVERWRITTEN
    assert path.read_text() == draft().text


def test_update_merges_what_both_changed_in_different_places(draft, place):
    path = place(draft()).path
    path.write_text(path.read_text().replace("1 == 1", "True  # ours"))
    merged = place(draft(BODY + "\n\ndef test_three():\n    assert 3\n"), update=True)
    assert merged.fate is Fate.MERGED
    assert not merged.note
    text = path.read_text()
    assert "True  # ours" in text
    assert "def test_three" in text
    assert header.is_edited(text)
    # The next merge starts from what was generated last.
    again = place(draft(BODY + "\n\ndef test_four():\n    assert 4\n"), update=True)
    assert again.fate is Fate.MERGED
    assert "test_three" not in path.read_text()
    assert "True  # ours" in path.read_text()


def test_where_both_changed_the_same_lines_ours_stand_and_the_rest_is_reported(draft, place):
    path = place(draft()).path
    path.write_text(path.read_text().replace("1 == 1", "ours"))
    merged = place(draft(BODY.replace("1 == 1", "theirs") + "\n\ndef test_three():\n    assert 3\n"), update=True)
    text = path.read_text()
    assert "assert ours" in text
    assert "theirs" not in text
    assert "def test_three" in text
    assert "assert theirs" in merged.note
    assert "line " in merged.note


def test_without_the_base_nothing_is_merged(draft, place, home):
    path = place(draft()).path
    path.write_text(path.read_text().replace("1 == 1", "ours"))
    for remembered in (home.cache / "generated").iterdir():
        remembered.unlink()
    kept = place(draft(BODY + "\n# more\n"), update=True)
    assert kept.fate is Fate.KEPT
    assert "cannot be merged" in kept.note
    assert "ours" in path.read_text()


def test_a_merge_that_is_no_python_is_not_written(draft, place):
    path = place(draft()).path
    broken = path.read_text().replace("def test_one():", "def test_one(:")
    path.write_text(broken)
    failed = place(draft(BODY + "\n\ndef test_three():\n    assert 3\n"), update=True)
    assert failed.fate is Fate.FAILED
    assert path.read_text() == broken


def test_what_cannot_be_made_leaves_no_file(draft, place):
    failed = place(draft(problem="pytest cannot collect it"))
    assert failed.fate is Fate.FAILED
    assert not failed.path.exists()


def test_hand_written_files_are_refused_even_with_force(tmp_path):
    paths = [tmp_path / name for name in ("test_a.py", "test_b.py", "test_c.py", "test_d.py", "test_new.py")]
    for path in paths[:4]:
        path.write_text("assert True\n")
    with pytest.raises(UsageError) as caught:
        files.refuse_hand_written(paths)
    assert "and 1 more" in caught.value.message
    assert caught.value.exit_code == 2


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        files.prepare_folder(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="permission"):
        files.prepare_folder(tmp_path / "new")


def test_a_folder_that_goes_away_is_a_message(draft, home):
    change = files.decide(draft(), files.Path("/proc/nowhere/test_tiny.py"), home, force=False, update=False)
    with pytest.raises(UsageError, match="cannot write"):
        files.write(change, home)
