"""A file that is replaced is whole, before and after."""

import pytest

from modelmuster import atomic


@pytest.mark.parametrize("durable", [False, True])
def test_a_replacement_leaves_the_old_content_when_it_fails(tmp_path, durable):
    path = tmp_path / "plan.json"
    atomic.replace(path, b"old", durable=durable)
    with pytest.raises(TypeError):
        atomic.replace(path, object(), durable=durable)
    assert path.read_bytes() == b"old"
    assert [left.name for left in tmp_path.iterdir()] == ["plan.json"]
    atomic.replace(path, b"new", durable=durable)
    assert path.read_bytes() == b"new"


def test_where_nothing_can_be_written_an_error_says_so(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        atomic.replace(tmp_path / "nowhere" / "x", b"")
