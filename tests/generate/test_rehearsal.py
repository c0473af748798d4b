"""Questions that do not hold of a healthy model are left out; those that find a fault in it stay."""

import pytest

from modelmuster import catalog
from modelmuster.generate import rehearsal
from modelmuster.generate.rehearsal import rehearsed
from modelmuster.generate.survey import survey

FILE = """
def test_forward(muster_run):
    assert 0

def test_reference(muster_run, inputs):
    assert muster_run(inputs) == 1

def test_towers_meet(muster_run, inputs):
    assert muster_run(inputs) == 2

def test_input_ids_matter():
    raise RuntimeError

def test_save_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
"""


def test_each_test_is_tried_with_what_it_asks_for(monkeypatch, make_blueprint):
    monkeypatch.setattr(rehearsal, "render", lambda *_: FILE)
    before = make_blueprint(questions=("forward", "influence", "reference", "save_load", "transposed"))
    after = rehearsed(before, None, lambda: {"muster_run": lambda _: 1, "inputs": {}})
    assert after.questions == ("forward", "reference", "save_load")
    assert after.left_out == ("input_ids_matter", "transposed")
    assert not after.carriers


@pytest.mark.parametrize(("name", "question"), [("autoformer", "batch_invariance"), ("blt", "cache")])
def test_what_the_check_of_that_name_finds_too_stays(name, question):
    entry = catalog.load().get(name)
    made = survey(entry, entry.default_class)
    assert question in made.questions
    assert question not in made.left_out
