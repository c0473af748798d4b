"""Templates: what they are given, and what is said when one has an error."""

import ast

import pytest

from modelmuster.errors import UsageError
from modelmuster.generate.render import Style, check_folder, render
from modelmuster.generate.sources import source
from modelmuster.records import Family


def functions(text):
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("standalone", [False, True])
def test_every_family_has_a_template(make_blueprint, family, standalone):
    text = render(make_blueprint(family=family), Style(standalone=standalone))
    assert "test_forward" in functions(text)
    assert ("pytest.mark." in text) is not standalone
    assert ("muster_run" in text) is not standalone


@pytest.mark.parametrize("name", ['"""', "\\", "it's\n", "{{ 7 * 7 }}", "'; import os; '"])
def test_names_cannot_become_code(make_blueprint, name):
    hostile = make_blueprint(model_type=name, model_class=name, config={name: name, "ok": [name]})
    text = render(hostile, Style())
    [mark] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.keyword) and node.arg == "model_type"]
    assert mark.value.value == name
    assert "49" not in text


def test_only_the_questions_that_are_asked_for(make_blueprint):
    asked = functions(render(make_blueprint(), Style(checks=("determinism",))))
    assert [name for name in asked if name.startswith("test_")] == ["test_determinism"]


def test_a_template_of_ones_own_goes_first(make_blueprint, tmp_path):
    (tmp_path / "encoder-only.py.j2").write_text("{% extends 'file.py.j2' %}{% block about %}Ours.{% endblock %}")
    assert "Ours." in render(make_blueprint(), Style(templates=tmp_path))
    assert "Ours." not in render(make_blueprint(family=Family.VISION), Style(templates=tmp_path))


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        ("one\n{% if %}\n", 2, "Expected an expression"),
        ("one\n\n{{ nothing }}\n", 3, "'nothing' is undefined"),
        ("{{ model_type | shout }}", 1, "shout"),
        ("one\n{{ 1 / 0 }}", 2, "division by zero"),
        ("{{ config.x.y }}", 1, "no attribute 'x'"),
        ("{% extends 'gone.j2' %}", None, "gone.j2"),
    ],
)
def test_an_error_in_a_template_names_file_and_line(make_blueprint, tmp_path, template, line, said):
    path = tmp_path / "encoder-only.py.j2"
    path.write_text(template)
    with pytest.raises(UsageError) as caught:
        render(make_blueprint(), Style(templates=tmp_path))
    assert said in caught.value.message
    if line is not None:
        assert f"{path}, line {line}" in caught.value.message


def test_a_folder_without_templates_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no template"):
        check_folder(tmp_path)


@pytest.mark.parametrize("value", [{"a": [1.5, None, True]}, (1,), 'it\'s "x"\n', [(1, 2)], float("inf"), -0.0, {}])
def test_values_survive_as_source(value):
    assert eval(source(value)) == value
