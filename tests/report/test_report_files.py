import pytest

from modelmuster.errors import UsageError
from modelmuster.report.files import write


def test_a_report_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "report.html"
    write(path, b"first")
    write(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_in_the_way_is_said_and_nothing_is_left_behind(tmp_path):
    path = tmp_path / "report.html"
    path.mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_where_a_folder_should_be_is_said(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="--output"):
        write(tmp_path / "out" / "report.html", b"x")
