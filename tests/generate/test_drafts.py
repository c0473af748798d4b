"""What is not valid is not written, and it is said why."""

import pytest

from modelmuster.generate import header
from modelmuster.generate.drafts import collected, drawn_up, verified
from modelmuster.generate.render import Style


@pytest.fixture
def make(make_blueprint, tmp_path):
    """Drafts of files with these bodies."""

    def make(*bodies):
        made = []
        for number, body in enumerate(bodies):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "encoder-only.py.j2").write_text(f"{header.PLACE}\n{body}\n")
            made += drawn_up({f"test_{number}.py": make_blueprint()}, Style(templates=folder))
        return made

    return make


def test_text_is_formatted_stamped_and_counted(make):
    [draft] = collected(make("def test_a( ) :\n  assert  1\n\ndef test_b():\n  pass"))
    assert "def test_a():\n    assert 1\n" in draft.text
    assert not header.is_edited(draft.text)
    assert draft.tests == 2
    assert not draft.problem


def test_problems_are_told_apart_and_harm_no_neighbour(make):
    drafts = collected(
        make(
            "def test_a():\n    pass",
            "def test_a(:\n    pass",
            "import no_such_module_anywhere\n\ndef test_a():\n    pass",
            "def helper():\n    pass",
            "import os\nassert os.name == 'strange', 'this machine is not'\n\ndef test_a():\n    pass",
        )
    )
    assert not drafts[0].problem
    assert "the template gives no Python: line 2" in drafts[1].problem
    assert "No module named 'no_such_module_anywhere'" in drafts[2].problem
    assert "pytest cannot collect it" in drafts[3].problem
    assert "this machine is not" in drafts[4].problem


def test_verification_names_the_tests_that_fail(make):
    drafts = list(verified(collected(make("def test_a():\n    pass", "def test_b():\n    assert 0\n"))))
    assert not drafts[0].problem
    assert drafts[1].problem == "1 of its tests fail: test_b"
