"""Which architectures have a file, what it found, and what to do next."""

import pytest

from modelmuster.catalog.priority import Priority, Ranking
from modelmuster.generate import header, page
from modelmuster.generate.coverage import State, cover, files_in
from modelmuster.records import Architecture, Family, ModelClass, Outcome
from modelmuster.views.file_tests import FileTests
from modelmuster.views.rates import Tally

RANKING = Ranking("2026-01-01", "by hand", high=("second", "first"), medium=("third",))


def architecture(name, classes=("X",)):
    return Architecture(
        model_type=name,
        config_class="C",
        module="m",
        family=Family.VISION,
        top_level=True,
        model_classes=tuple(ModelClass(name=each) for each in classes),
        default_class=next(iter(classes), None),
    )


@pytest.fixture
def folder(tmp_path, make_blueprint):
    """A folder with generated files of these types, and a hand-written one."""

    def make(*names):
        for name in names:
            text = f'"""x"""\n{header.PLACE}\nassert True\n'
            made = header.stamped(text, make_blueprint(model_type=name), standalone=False, checks=())
            (tmp_path / f"test_{name}.py").write_text(made)
        (tmp_path / "test_own.py").write_text("assert True\n")
        return tmp_path

    return make


def found(**counts):
    return FileTests("r", Tally({Outcome(name): number for name, number in counts.items()}))


def test_states_and_order(folder):
    have = files_in(folder("passes", "fails", "waits", "skips"))
    assert sorted(have) == ["fails", "passes", "skips", "waits"]
    names = ["passes", "fails", "waits", "skips", "first", "second", "third", "fourth"]
    results = {
        "passes": found(**{"pass": 3}),
        "fails": found(**{"pass": 3, "fail": 1}),
        "skips": found(skipped=2),
        "gone": found(**{"pass": 1}),
    }
    made = cover([*map(architecture, names), architecture("hollow", ())], have, results, RANKING)
    states = {row.model_type: row.state for row in made.rows}
    assert states == {
        "passes": State.PASSING,
        "fails": State.FAILING,
        "waits": State.NOT_RUN,
        "skips": State.UNDECIDED,
        "first": State.MISSING,
        "second": State.MISSING,
        "third": State.MISSING,
        "fourth": State.MISSING,
        "hollow": State.IMPOSSIBLE,
    }
    order = [row.model_type for row in made.rows]
    assert order == ["second", "first", "third", "fourth", "fails", "waits", "skips", "hollow", "passes"]
    assert dict(made.by_priority())[Priority.HIGH] == {State.MISSING: 2}


def test_an_edited_file_says_so(folder):
    place = folder("one")
    path = place / "test_one.py"
    path.write_text(path.read_text().replace("True", "1"))
    [row] = cover([architecture("one")], files_in(place), {}, RANKING).rows
    assert row.edited


def test_the_page_stands_alone_and_escapes(folder, tmp_path):
    made = cover([architecture("<script>alert(1)</script>")], {}, {}, RANKING)
    page.write(made, tmp_path / "out.html", "5.0")
    text = (tmp_path / "out.html").read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text
    assert "by hand" in text
