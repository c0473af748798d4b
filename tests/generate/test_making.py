"""What is left out before anything is rendered."""

from modelmuster import catalog
from modelmuster.generate.making import Wish, make
from modelmuster.generate.render import Style


def test_a_class_that_has_a_file_is_left_out(tmp_path, home):
    known = catalog.load()
    wish = Wish(architectures=[known.get("bert")], folder=tmp_path, style=Style(), have={("bert", "BertForMaskedLM")})
    made = make(wish, known, home)
    assert not made.changes
    assert not made.without
