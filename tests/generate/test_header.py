"""The header tells an untouched file from an edited one."""

import pytest

from modelmuster.generate import header

TEXT = f'"""A file."""\n{header.PLACE}\n\nassert True\n'


def stamped(blueprint, **style):
    return header.stamped(TEXT, blueprint, **{"standalone": False, "checks": (), **style})


def test_what_was_stamped_is_read_back(make_blueprint):
    made = stamped(make_blueprint(recipe_hash="ab" * 32), standalone=True, checks=("forward", "cache"))
    read = header.read(made)
    assert (read.model_type, read.model_class, read.standalone, read.checks) == (
        "tiny",
        "TinyModel",
        True,
        ("forward", "cache"),
    )
    assert read.recipe == "ab" * 8
    assert not header.is_edited(made)


@pytest.mark.parametrize("change", [("True", "False"), ("\n\n", "\n"), ('"""A', '"""Our')])
def test_any_change_shows(make_blueprint, change):
    assert header.is_edited(stamped(make_blueprint()).replace(*change, 1))


@pytest.mark.parametrize("model_type", ["it's", "two words", 'a"b', "new\nline", "é", "a=b", "$(rm)", "#"])
def test_odd_names_survive(make_blueprint, model_type):
    made = stamped(make_blueprint(model_type=model_type))
    compile(made, "file", "exec")
    assert header.read(made).model_type == model_type


@pytest.mark.parametrize("text", ["", "assert True\n", f"{header.MARK} type=x\n", f"{header.MARK} 'unclosed\n"])
def test_other_files_have_no_header(text):
    assert header.read(text) is None
    assert header.is_edited(text)


def test_a_binary_file_has_no_header(tmp_path):
    (tmp_path / "test_x.py").write_bytes(b"\xff\xfe\x00")
    assert header.read_file(tmp_path / "test_x.py") is None
